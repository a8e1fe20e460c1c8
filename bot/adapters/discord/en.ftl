discord-form-options = seed, steps, size … (name:value)
discord-late = { NUMBER($pictures) ->
    [0] About what you asked for, { $mention }:
    [one] Your picture is ready, { $mention }.
   *[other] Your pictures are ready, { $mention }.
  }
discord-moved = The answer is here: { $link }
discord-no-permission = I made your picture, but I may not send it in { $channel }: I lack the permission “{ $permission }”. Ask whoever manages the server, then take it up from /history.
discord-channel-gone = I made your picture, but the place where you asked for it is gone. It is in /history.
discord-thread-closed = I made your picture, but the thread where you asked for it is closed. It is in /history.
discord-not-sent = I made your picture, but Discord doesn't let me send it in { $channel }. It is in /history.
discord-status = { $model } · /imagine
discord-ready = Discord: ✓ { $name } answers in { NUMBER($servers) ->
    [one] one server
   *[other] { $servers } servers
  }. To add it to another: { $link }
discord-bad-token = Discord: its token isn't accepted. Make a new one (Developer Portal → Bot → Reset Token) and paste it at { $address }/connect.
discord-permission-attach-files = Attach Files
discord-permission-send-messages = Send Messages
discord-permission-view-channel = View Channel
refusal-image-forgotten = I no longer have that picture. Choose “Use as image” on its message again.
refusal-nothing-here = That message has no picture of mine, and none of yours.
refusal-others-picture = That picture is somebody else's. I work with my own pictures and with those that you bring yourself.
discord-token-good = Discord: its token is good ({ $name }). To add it to a server: { $link }
discord-code-grant = Discord: { $name } can't be added to servers. Developer Portal → Bot: switch off “Requires OAuth2 Code Grant”. Then: { $link }
discord-unreachable = Discord can't be reached. I keep trying; check the internet connection.
discord-closed = Discord: it closed the connection (code { $code }). Start Semilla again; if it happens again, make a new token (Developer Portal → Bot → Reset Token) and paste it at { $address }/connect.
discord-token-application = Discord: that is the application's id, not its token. The token is at Developer Portal → Bot → Reset Token. Paste it at { $address }/connect.
discord-token-public-key = Discord: that is the public key, not the token. The token is at Developer Portal → Bot → Reset Token. Paste it at { $address }/connect.
discord-token-client-secret = Discord: that is the client secret, not the bot's token. The token is at Developer Portal → Bot → Reset Token. Paste it at { $address }/connect.
discord-permission-send-messages-in-threads = Send Messages in Threads
refusal-outdated = Your app shows “{ $name }” as it was before an update. Load Discord again (Ctrl+R, or close and open the app), then it works.
