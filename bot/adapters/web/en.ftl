# The web page, in English.

web-home-name = Semilla's computer
web-question = What shall we draw?
web-placeholder = a green heart
web-draw = Draw
web-attach = Draw over a picture
web-attached = A picture to draw over
web-unjudged = { $count ->
    [one] 1 waits for your review
   *[other] { $count } wait for your review
 }
web-remove = Remove the picture
web-options = Options
web-usual = the usual
web-try = Try:
web-conversation = Conversation
web-already = Made here
web-all = All pictures
web-gallery = Gallery
web-class = Class
web-connect = Chats
web-more = More
web-close = Close
web-save = Download PNG
web-save-hint = The PNG carries its recipe inside: whoever has the file can make the picture again.
web-search = Look for words
web-older = Older
web-newest = Newest
web-nothing-found = No pictures with these words.
web-nothing-yet = No pictures yet. Draw the first one.
web-recipe = Recipe of `{ $code }`
web-parent = Made from
web-children = Made from it
web-back = Back to drawing
web-skip = To the content
web-done = Done:
web-offline = There is no connection to Semilla just now. Is it still running?
web-no-page = This page doesn't exist.
web-no-picture = There is no picture { $code } here.
web-stale = This page was open for too long. Load it again and repeat what you did.
web-too-large = That file is too large: 24 MB is the most. Send a smaller one.
web-not-inside = First type the class's code.
web-moderators-only = Only the moderator can do this: open the last address that Semilla printed where it was started.
web-key-spent = This address has been used already: each makes one browser the moderator's. The next one stands where Semilla was started.

web-class-title = Draw in class
web-class-what = Opens Semilla to everyone in the same wifi who knows today's code. The pictures of the class are kept apart from your own.
web-class-open = Open to the class
web-class-close = Close the class
web-class-renew = New code
web-class-renewed = A new code leads everybody in the class to the door again: for when somebody shouldn't be in it. Whoever is banned or paused stays outside; until then they can look.
web-class-go = To the class's pictures
web-class-come = Let’s draw
web-class-wifi = Join the same wifi as this computer
web-class-address = Scan, or type
web-class-code = Enter the code
web-class-firewall = Windows may ask whether Python may use the network: tick “Private networks” and choose “Allow access”.
web-no-network = This computer is in no network that others could reach it by. Connect it to the wifi and try again.
web-port-in-use = Another program uses port { $port } in this network. Stop it, or change the port in config.toml.
web-join = Come in
web-join-code = Today's code
web-join-name = Your first name
web-join-go = Draw
web-not-you = Not you?
web-wrong-code = That isn't today's code. Look at the screen again.
web-name-missing = How should the others call you?
web-name-listed = That name has a word that isn't used here. Type another one.
web-stopped = Moderators have stopped { $name } at this browser. Until they lift it (/unban), nobody comes in with it.
web-too-many-tries = { $minutes ->
    [one] Too many tries. Wait a minute, then look at the code again.
   *[other] Too many tries. Wait { $minutes } minutes, then look at the code again.
 }
web-closed = The class isn't open
web-closed-what = Ask whoever runs Semilla to open it, then load this page again.

web-connect-title = Discord and Telegram
web-connect-what = Semilla can also answer there. Both are free; without them everything on this page works.
web-token = Token of { $platform }
web-save-token = Save
web-token-saved = Saved, readable by you only.
web-not-a-token = That doesn't look like a token. Copy it whole, without spaces, and paste it again.
web-steps-discord =
    Open discord.com/developers/applications and choose **New Application**.
    Under **Bot**, choose **Reset Token** and copy it.
    Paste it here.
web-steps-telegram =
    In Telegram, write to **@BotFather**: **/newbot**
    Give your bot a name and a username that ends in “bot”.
    Copy the token that it sends, and paste it here.
