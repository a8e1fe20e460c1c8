# La página web, en español.

web-home-name = la computadora de Semilla
web-question = ¿Qué dibujamos?
web-placeholder = un corazón verde
web-draw = Dibujar
web-attach = Dibujar sobre una imagen
web-attached = Imagen sobre la que dibujar
web-unjudged = { $count ->
    [one] 1 pendiente de revisar
   *[other] { $count } pendientes de revisar
 }
web-remove = Quitar la imagen
web-options = Opciones
web-usual = el de siempre
web-try = Prueba:
web-conversation = Conversación
web-already = Hechas aquí
web-all = Todas las imágenes
web-gallery = Galería
web-class = Clase
web-connect = Chats
web-more = Más
web-close = Cerrar
web-save = Descargar PNG
web-save-hint = El PNG lleva su receta dentro: quien tenga el archivo puede repetir la imagen.
web-search = Buscar palabras
web-older = Anteriores
web-newest = Más recientes
web-nothing-found = No hay imágenes con esas palabras.
web-nothing-yet = Aún no hay imágenes. Dibuja la primera.
web-recipe = Receta de `{ $code }`
web-parent = Hecha a partir de
web-children = Hechas a partir de ella
web-back = Volver a dibujar
web-skip = Ir al contenido
web-done = Lista:
web-offline = Ahora mismo no hay conexión con Semilla. ¿Sigue en marcha?
web-no-page = Esta página no existe.
web-no-picture = Aquí no hay ninguna imagen { $code }.
web-stale = Esta página llevaba demasiado tiempo abierta. Cárgala otra vez y repite lo que hiciste.
web-too-large = Ese archivo es demasiado grande: caben 24 MB. Envía uno más pequeño.
web-not-inside = Primero escribe el código de la clase.
web-moderators-only = Esto solo puede hacerlo quien modera: abre la última dirección que Semilla mostró donde se arrancó.
web-key-spent = Esta dirección ya se usó: cada una sirve para que un solo navegador modere. La siguiente está donde se arrancó Semilla.

web-class-title = Dibujar en clase
web-class-what = Abre Semilla a quienes estén en la misma red wifi y sepan el código de hoy. Las imágenes de la clase se guardan aparte de las tuyas.
web-class-open = Abrir a la clase
web-class-close = Cerrar la clase
web-class-renew = Código nuevo
web-class-renewed = Un código nuevo lleva otra vez a la puerta a toda la clase: por si hay alguien que no debería estar. Quien tenga un veto o una pausa se queda fuera; hasta entonces puede mirar.
web-class-go = Ver las imágenes de la clase
web-class-come = A dibujar
web-class-wifi = Conéctate a la misma red wifi que esta computadora
web-class-address = Escanea, o escribe
web-class-code = Pon el código
web-class-firewall = Windows puede preguntar si Python puede usar la red: marca «Redes privadas» y elige «Permitir acceso».
web-no-network = Esta computadora no está en ninguna red por la que otros lleguen a ella. Conéctala al wifi y prueba otra vez.
web-port-in-use = Otro programa usa el puerto { $port } en esta red. Ciérralo, o cambia el puerto en config.toml.
web-join = Entra
web-join-code = El código de hoy
web-join-name = Tu nombre
web-join-go = Dibujar
web-not-you = ¿No eres tú?
web-wrong-code = Ese no es el código de hoy. Mira otra vez la pantalla.
web-name-missing = ¿Cómo te llaman los demás?
web-name-listed = Ese nombre tiene una palabra que aquí no se usa. Escribe otro.
web-stopped = Quienes moderan detuvieron a { $name } en este navegador. Hasta que lo levanten (/readmitir), nadie entra con él.
web-too-many-tries = { $minutes ->
    [one] Demasiados intentos. Espera un minuto y mira otra vez el código.
   *[other] Demasiados intentos. Espera { $minutes } minutos y mira otra vez el código.
 }
web-closed = La clase no está abierta
web-closed-what = Pide que la abran en la computadora de Semilla y carga esta página otra vez.

web-connect-title = Discord y Telegram
web-connect-what = Semilla también puede responder ahí. Los dos son gratis; sin ellos, todo lo de esta página funciona.
web-token = Token de { $platform }
web-save-token = Guardar
web-token-saved = Guardado; solo tú puedes leerlo.
web-not-a-token = Eso no parece un token. Cópialo entero, sin espacios, y pégalo otra vez.
web-steps-discord =
    Abre discord.com/developers/applications y elige **New Application**.
    En **Bot**, elige **Reset Token** y copia el token.
    Pégalo aquí.
web-steps-telegram =
    En Telegram, escribe a **@BotFather**: **/newbot**
    Dale a tu bot un nombre, y un usuario que termine en «bot».
    Copia el token que te manda y pégalo aquí.
