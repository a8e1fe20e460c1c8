telegram-ready = Telegram: ✓ { $name } answers. To add it to a group: { $link }
telegram-bad-token = Telegram: its token isn't accepted. Ask @BotFather for a new one (/token) and paste it at { $address }/connect.
telegram-two-copies = Telegram: another copy of Semilla uses this token (at home?). Close one.
telegram-too-old = This message is too old for its buttons. Type the command again.
telegram-sheet-line = { $number } · **{ $prompt }** · `{ $code }` · { $author }
telegram-waiting = 🎨 { NUMBER($count) ->
    [one] One request waits
   *[other] { $count } requests wait
  }: { $names }
telegram-edit = ✏️ { $title }. Copy this line, change what you like and send it:
telegram-copy = 📋 Copy the line
telegram-sent-in-private = I sent it to you in private.
telegram-open-private-chat = Your picture is for you only, and I can't write to you yet. Open { $link }, press Start, and then take it up from /history.
