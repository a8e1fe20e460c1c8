discord-form-options = seed, steps, size … (name:value)
discord-late = Your picture is ready, { $mention }.
discord-moved = It took a while, so it is here: { $link }
discord-no-permission = I made your picture, but I may not send it in { $channel }: I lack the permission “{ $permission }”. Ask whoever manages the server, then take it up from /history.
discord-channel-gone = I made your picture, but the place where you asked for it is gone. It is in /history.
discord-status = { $model } · /imagine
discord-nothing-here = That message has no picture of mine.
discord-ready = Discord: ✓ { $name } answers in { NUMBER($servers) ->
    [one] one server
   *[other] { $servers } servers
  }. To add it to another: { $link }
discord-bad-token = Discord: its token isn't accepted. Make a new one (Developer Portal → Bot → Reset Token) and paste it at { $address }/connect.
discord-permission-attach-files = Attach Files
discord-permission-send-messages = Send Messages
discord-permission-view-channel = View Channel
