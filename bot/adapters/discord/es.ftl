discord-form-options = semilla, pasos, tamaño … (nombre:valor)
discord-late = Tu imagen está lista, { $mention }.
discord-moved = Tardó un poco, así que está aquí: { $link }
discord-no-permission = Hice tu imagen, pero no puedo enviarla en { $channel }: me falta el permiso «{ $permission }». Pídelo a quien administra el servidor y luego recupérala con /history.
discord-channel-gone = Hice tu imagen, pero el lugar donde la pediste ya no existe. Está en /history.
discord-status = { $model } · /imagine
discord-nothing-here = Ese mensaje no tiene ninguna imagen mía.
discord-ready = Discord: ✓ { $name } responde en { NUMBER($servers) ->
    [one] un servidor
   *[other] { $servers } servidores
  }. Para añadirla a otro: { $link }
discord-bad-token = Discord: no acepta su token. Crea uno nuevo (Developer Portal → Bot → Reset Token) y pégalo en { $address }/connect.
discord-permission-attach-files = Adjuntar archivos
discord-permission-send-messages = Enviar mensajes
discord-permission-view-channel = Ver canal
