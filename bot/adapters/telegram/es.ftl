telegram-ready = Telegram: ✓ { $name } responde. Para sumarla a un grupo: { $link }
telegram-bad-token = Telegram: no acepta el token. Pídele otro a @BotFather (/token) y pégalo en { $address }/connect.
telegram-two-copies = Telegram: otra copia de Semilla usa este mismo token (¿en casa?). Cierra una.
telegram-too-old = Este mensaje es demasiado viejo para sus botones. Escribe el comando otra vez.
telegram-sheet-line = { $number } · **{ $prompt }** · `{ $code }` · { $author }
telegram-waiting = 🎨 { NUMBER($count) ->
    [one] Espera un pedido
   *[other] Esperan { $count } pedidos
  }: { $names }
telegram-edit = ✏️ { $title }. Copia esta línea, cambia lo que quieras y envíala:
telegram-copy = 📋 Copiar la línea
telegram-sent-in-private = Te la mandé por privado.
telegram-open-private-chat = Tu imagen es solo para ti y todavía no puedo escribirte. Abre { $link }, toca Iniciar y después tómala de /historial.
