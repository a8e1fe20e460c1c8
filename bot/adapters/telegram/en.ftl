telegram-ready = Telegram: ✓ { $name } answers. To add it to a group: { $link }
telegram-bad-token = Telegram: its token isn't accepted. Ask @BotFather for a new one (/token) and paste it at { $address }/connect.
telegram-two-copies = Telegram: another copy of Semilla uses this token (at home?). Close one.
telegram-webhook-elsewhere = Telegram: another program gets the messages of this bot (a webhook is set). Close it there, then start Semilla again.
telegram-out-of-touch = Telegram: no connection just now. { NUMBER($pictures) ->
    [0] Everything else goes on.
    [one] One picture waits to be sent; everything else goes on.
   *[other] { $pictures } pictures wait to be sent; everything else goes on.
  }
telegram-bad-webhook = Telegram: it can't call { $webhook } ({ $reason }). Correct webhook in config.toml, or empty it.
telegram-away = { NUMBER($count) ->
    [one] This came while I was offline, { $time } ago:
   *[other] { $count } requests came while I was offline, the first { $time } ago:
  }
telegram-away-pressed = { NUMBER($count) ->
    [one] A button was pressed while I was offline:
   *[other] { $count } buttons were pressed while I was offline:
  }
telegram-do-them = ✓ { NUMBER($count) ->
    [one] Do it
   *[other] Do them
  }
telegram-forget-them = { NUMBER($count) ->
    [one] Forget it
   *[other] Forget them
  }
telegram-doing = { NUMBER($count) ->
    [one] I'm on it.
   *[other] On it: all { $count }.
  }
telegram-forgotten = { NUMBER($count) ->
    [one] Forgotten. Ask again whenever you like.
   *[other] All { $count } forgotten. Ask again whenever you like.
  }
telegram-not-yours-to-decide = None of the waiting requests is yours.
telegram-too-old = This message is too old for its buttons. Type the command again.
telegram-sheet-line = { $number } · **{ $prompt }** · `{ $code }` · { $author }
telegram-waiting = 🎨 { NUMBER($count) ->
    [one] One request waits
   *[other] { $count } requests wait
  }: { $names }
telegram-edit = ✏️ { $title }. Copy this line, change what you like and send it:
telegram-copy = 📋 Copy the line
telegram-sent-in-private = I sent it to you in private.
telegram-open-private-chat = { NUMBER($count) ->
    [0] This is for you only, and I can't write to you yet. Open { $link }, press Start and ask again.
    [one] Your picture is for you only, and I can't write to you yet. Open { $link } and press Start: it is there.
   *[other] Your pictures are for you only, and I can't write to you yet. Open { $link }, press Start and type /show with an id: { $codes }
  }
telegram-no-pictures = { NUMBER($count) ->
    [one] The picture is ready, but this group doesn't let me send pictures or files. Open { $link } and press Start: it is there.
   *[other] The pictures are ready, but this group doesn't let me send pictures or files. Open { $link }, press Start and type /show with an id: { $codes }
  } An admin can allow pictures in the group's permissions.
