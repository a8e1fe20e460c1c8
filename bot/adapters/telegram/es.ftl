telegram-ready = Telegram: ✓ { $name } responde. Para sumarla a un grupo: { $link }
telegram-bad-token = Telegram: no acepta el token. Pídele otro a @BotFather (/token) y pégalo en { $address }/connect.
telegram-two-copies = Telegram: otra copia de Semilla usa este mismo token (¿en casa?). Cierra una.
telegram-webhook-elsewhere = Telegram: otro programa recibe los mensajes de este bot (hay un webhook puesto). Ciérralo allí y vuelve a iniciar Semilla.
telegram-out-of-touch = Telegram: ahora no hay conexión. { NUMBER($pictures) ->
    [0] Todo lo demás sigue.
    [one] Hay una imagen por enviar; todo lo demás sigue.
   *[other] Hay { $pictures } imágenes por enviar; todo lo demás sigue.
  }
telegram-bad-webhook = Telegram: no puede llamar a { $webhook } ({ $reason }). Corrige webhook en config.toml, o déjalo vacío.
telegram-away = { NUMBER($count) ->
    [one] Hay un pedido de cuando estuve desconectada, de hace { $time }:
   *[other] Hay { $count } pedidos de cuando estuve desconectada, el primero de hace { $time }:
  }
telegram-away-pressed = { NUMBER($count) ->
    [one] Se tocó un botón cuando estuve desconectada:
   *[other] Se tocaron { $count } botones cuando estuve desconectada:
  }
telegram-do-them = ✓ { NUMBER($count) ->
    [one] Hacerlo
   *[other] Hacerlos
  }
telegram-forget-them = { NUMBER($count) ->
    [one] Olvidarlo
   *[other] Olvidarlos
  }
telegram-doing = { NUMBER($count) ->
    [one] ¡Manos a la obra!
   *[other] ¡Manos a la obra con los { $count }!
  }
telegram-forgotten = { NUMBER($count) ->
    [one] Olvidado. Pídelo otra vez cuando quieras.
   *[other] Olvidados los { $count }. Pídelos otra vez cuando quieras.
  }
telegram-not-yours-to-decide = Ninguno de los pedidos que esperan es tuyo.
telegram-too-old = Este mensaje es demasiado viejo para sus botones. Escribe la orden otra vez.
telegram-sheet-line = { $number } · **{ $prompt }** · `{ $code }` · { $author }
telegram-waiting = 🎨 { NUMBER($count) ->
    [one] Espera un pedido
   *[other] Esperan { $count } pedidos
  }: { $names }
telegram-edit = ✏️ { $title }. Copia esta línea, cambia lo que quieras y envíala:
telegram-copy = 📋 Copiar la línea
telegram-sent-in-private = Te lo mandé por privado.
telegram-open-private-chat = { NUMBER($count) ->
    [0] Esto es solo para ti y todavía no puedo escribirte. Abre { $link }, toca Iniciar y pídelo otra vez.
    [one] Tu imagen es solo para ti y todavía no puedo escribirte. Abre { $link } y toca Iniciar: ahí está.
   *[other] Tus imágenes son solo para ti y todavía no puedo escribirte. Abre { $link }, toca Iniciar y escribe /ver con el id de una: { $codes }
  }
telegram-no-pictures = { NUMBER($count) ->
    [one] La imagen está lista, pero este grupo no me deja mandar imágenes o archivos. Abre { $link } y toca Iniciar: ahí está.
   *[other] Las imágenes están listas, pero este grupo no me deja mandar imágenes o archivos. Abre { $link }, toca Iniciar y escribe /ver con el id de una: { $codes }
  } Quien administra el grupo puede permitirlas en los permisos.
