discord-form-options = semilla, pasos, tamaño … (nombre:valor)
discord-late = { NUMBER($pictures) ->
    [0] Sobre lo que pediste, { $mention }:
    [one] Tu imagen está lista, { $mention }.
   *[other] Tus imágenes están listas, { $mention }.
  }
discord-moved = La respuesta está aquí: { $link }
discord-no-permission = Hice tu imagen, pero no puedo enviarla en { $channel }: me falta el permiso «{ $permission }». Pídelo a quien administra el servidor y luego recupérala con /historial.
discord-channel-gone = Hice tu imagen, pero el lugar donde la pediste ya no existe. Está en /historial.
discord-thread-closed = Hice tu imagen, pero el hilo donde la pediste está cerrado. Está en /historial.
discord-not-sent = Hice tu imagen, pero Discord no me deja enviarla en { $channel }. Está en /historial.
discord-status = { $model } · /imagina
discord-ready = Discord: ✓ { $name } responde en { NUMBER($servers) ->
    [one] un servidor
   *[other] { $servers } servidores
  }. Para añadirla a otro: { $link }
discord-bad-token = Discord: no acepta su token. Crea uno nuevo (Developer Portal → Bot → Reset Token) y pégalo en { $address }/connect.
discord-permission-attach-files = Adjuntar archivos
discord-permission-send-messages = Enviar mensajes
discord-permission-view-channel = Ver canal
refusal-image-forgotten = Ya no tengo esa imagen. Elige otra vez «Usar como imagen» en su mensaje.
refusal-nothing-here = Ese mensaje no tiene ninguna imagen mía ni tuya.
refusal-others-picture = Esa imagen es de otra persona. Trabajo con las mías y con las que traes tú.
discord-token-good = Discord: su token sirve ({ $name }). Para añadirla a un servidor: { $link }
discord-code-grant = Discord: { $name } no se puede añadir a servidores. Developer Portal → Bot: apaga «Requires OAuth2 Code Grant». Luego: { $link }
discord-unreachable = No llego a Discord. Sigo intentándolo; mira la conexión a internet.
discord-closed = Discord: cerró la conexión (código { $code }). Vuelve a abrir Semilla; si sigue igual, crea un token nuevo (Developer Portal → Bot → Reset Token) y pégalo en { $address }/connect.
discord-token-application = Discord: eso es el id de la aplicación, no su token. El token está en Developer Portal → Bot → Reset Token. Pégalo en { $address }/connect.
discord-token-public-key = Discord: eso es la clave pública, no el token. El token está en Developer Portal → Bot → Reset Token. Pégalo en { $address }/connect.
discord-token-client-secret = Discord: eso es el «client secret», no el token del bot. El token está en Developer Portal → Bot → Reset Token. Pégalo en { $address }/connect.
discord-permission-send-messages-in-threads = Enviar mensajes en hilos
refusal-outdated = Tu aplicación muestra «{ $name }» como era antes de una actualización. Recarga Discord (Ctrl+R, o cierra y abre la aplicación) y funcionará.
