"""Other words for the mistakes, as data: of other systems and languages, and of students. They are not on the page.

PHRASES are texts of errors, found as they stand. WORDINGS are descriptions: the one that shares the rarest words with
the text counts. Both are by the id of a mistake or of a problem of the catalogue, in small letters, one a line.
"""

# Of other entries than the first one of their line of the table, or of systems that the table leaves out.
PHRASES = {
    "not-listening": """
        expressément refusée
        keine verbindung hergestellt werden
        could not connect to host
        unable to connect to the remote server
        econnrefused
        wsaeconnrefused
        no connection could be made because the target machine actively refused it
        actively refused
        connection refused: connect
        connectionrefused
        connectionrefusederror
        remote computer refused the network connection
        connect call failed
        kan geen verbinding maken omdat de doelcomputer de verbinding actief heeft geweigerd
        actief heeft geweigerd
        actief geweigerd
        verbinding is geweigerd
        verbinding geweigerd
        verbindung verweigerte
        verbindungsaufbau abgelehnt
        verbindung abgelehnt
        verbindung verweigert
        denegó expresamente dicha conexión
        目标计算机积极拒绝
        enotfound
        eai_again
        eai_noname
        gaierror
        wsahost_not_found
        unknownhostexception
        no address associated with hostname
        no such host is known
        name resolution
        host is onbekend
        der name oder der dienst ist nicht bekannt
        der angegebene host ist unbekannt
        naam of dienst is niet bekend
        naam of service is niet bekend
        """,
    "wrong-bind-address": """
        eaddrnotavail
        wsaeaddrnotavail
        the requested address is not valid in its context
        addressnotavailable
        die angeforderte adresse ist in diesem kontext ungültig
        het aangevraagde adres is ongeldig in de context
        die angeforderte adresse kann nicht zugewiesen werden
        kan gevraagd adres niet toewijzen
        cannot assign requested address: jvm_bind
        """,
    "firewall": """
        etimedout
        wsaetimedout
        connection timed out
        connect timed out
        operation timed out
        connection timed out: connect
        connection timeout
        sockettimeoutexception: connect
        noroutetohostexception
        did not properly respond after a period of time
        connected host has failed to respond
        een poging om verbinding te maken is mislukt
        verbonden host niet heeft geantwoord
        ein verbindungsversuch ist fehlgeschlagen
        nach einer bestimmten zeitspanne nicht richtig reagiert
        die wartezeit für die verbindung ist abgelaufen
        verbinding is verlopen
        time-out van verbinding
        ehostunreach
        enetunreach
        ehostdown
        wsaehostunreach
        wsaenetunreach
        host is unreachable
        host unreachable
        destination host unreachable
        hostunreachable
        networkunreachable
        unreachable network
        unreachable host
        keine route zum zielrechner
        das netzwerk ist nicht erreichbar
        geen route naar host
        netwerk is onbereikbaar
        """,
    "port-in-use": """
        eaddrinuse
        wsaeaddrinuse
        addressalreadyinuse
        only one usage of each socket address
        error while attempting to bind on address
        address in use
        jvm_bind
        net_bind
        elk socketadres
        van elk socketadres
        jede socketadresse
        socketadresse (protokoll, netzwerkadresse oder anschluss)
        cada dirección de socket
        每个套接字地址
        adresse wird bereits verwendet
        die adresse wird bereits verwendet
        adres is al in gebruik
        adres al in gebruik
        port is already allocated
        eacces
        wsaeacces
        forbidden by its access permissions
        toegangsmachtigingen
        zugriffsrechte des sockets
        permission denied: bind
        permission denied (bind failed)
        keine berechtigung
        toegang geweigerd
        """,
    "end-of-stream": """
        receive b""
        receive b''
        returns b''
        returns b""
        recv returned 0
        existing connection was closed
        connection closed by foreign host
        connection closed by remote host
        connection closed unexpectedly
        prematurely closed
        eofexception
        eoferror
        incompletereaderror
        interrupción de una conexión existente
        远程主机强迫关闭了一个现有的连接
        econnreset
        econnaborted
        epipe
        wsaeconnreset
        wsaeconnaborted
        connection reset
        connectionreset
        connectionreseterror
        connectionabortederror
        brokenpipeerror
        socket hang up
        write after end
        forcibly closed by the remote host
        established connection was aborted by the software in your host machine
        software caused connection abort
        unable to read data from the transport connection
        unable to write data to the transport connection
        connection was aborted
        vom remotehost geschlossen
        softwaregesteuert durch den hostcomputer abgebrochen
        vom kommunikationspartner zurückgesetzt
        datenübergabe unterbrochen
        externe host
        verbroken door de software
        verbroken door de andere kant
        gebroken pijp
        datapijp
        cannot send after transport endpoint shutdown
        unexpected end of file from server
        """,
    "wrong-type": """
        bytes-like object, not
        invalid literal for int() with base 10
        argument should be integer or bytes-like object
        cannot unpack non-iterable socket object
        embedded null byte
        'builtin_function_or_method' object is not subscriptable
        'socket' object has no attribute
        string argument without an encoding
        'tuple' object is not callable
        enotconn
        wsaenotconn
        a request to send or receive data was disallowed because the socket is not connected
        notconnectedexception
        not yet connected
        socket is not connected
        ebadf
        wsaenotsock
        an operation was attempted on something that is not a socket
        socket is closed
        socket closed
        socketexception: closed
        cannot access a disposed object
        file descriptor cannot be a negative integer
        einval
        wsaeinval
        an invalid argument was supplied
        must be str, bytes or bytearray
        must be bytes, not str
        bytes-like object is required
        does not support the buffer interface
        address must be tuple
        af_inet address must be
        getsockaddrarg
        port must be 0-65535
        port should be >= 0 and < 65536
        port out of range
        port value out of range
        err_socket_bad_port
        cannot be interpreted as an integer
        integer is required
        object has no attribute 'recv'
        object has no attribute 'sendall'
        object has no attribute 'send'
        object has no attribute 'accept'
        memoryview: a bytes-like object is required
        err_invalid_arg_type
        takes exactly one argument (2 given)
        sequence item 0: expected a bytes-like object
        can't concat str to bytes
        can only concatenate str (not "bytes") to str
        can only concatenate str (not "dict") to str
        der socket ist nicht verbunden
        ungültiger dateideskriptor
        ungültiges argument
        ongeldig argument
        transportendpunkt ist nicht verbunden
        der sockel ist nicht verbunden
        der transportendpunkt ist nicht verbunden
        de socket is niet verbonden
        """,
    "connected-twice": """
        eisconn
        wsaeisconn
        a connect request was made on an already connected socket
        : already connected
        alreadyconnectedexception
        transportendpunkt ist bereits verbunden
        """,
    "non-blocking": """
        eagain
        ewouldblock
        wsaewouldblock
        a non-blocking socket operation could not be completed immediately
        operation now in progress
        einprogress
        operation would block
        illegalblockingmodeexception
        die ressource ist zur zeit nicht verfügbar
        nicht blockierender socketvorgang
        """,
    "sockets-left-open": """
        emfile
        enfile
        wsaemfile
        no buffer space available
        zu viele offene dateien
        te veel open bestanden
        filedescriptor out of range in select
        resourcewarning: unclosed
        unclosed <socket
        """,
    "wsl": """
        wsl
        windows subsystem for linux
        """,
    "wrong-own-ip": """
        127.0.1.1
        gethostbyname
        gethostname
        """,
    "udp": """
        eopnotsupp
        wsaeopnotsupp
        operation not supported on socket
        the attempted operation is not supported for the type of object referenced
        sock_dgram
        datagramsocket
        udpclient
        sockettype.dgram
        createsocket('udp4')
        message too long
        emsgsize
        wsaemsgsize
        """,
    "one-recv": """
        unterminated string
        unexpected end of json input
        end of input at line
        unterminated string in json
        expected end of string
        unexpected end-of-input
        malformedjsonexception: unterminated
        reached end of data
        """,
    "welcome-as-reply": """
        a jsonobject text must begin with
        is not valid json
        unexpected token w in json at position 0
        in json at position 0
        expected begin_object but was string
        is an invalid start of a value
        unexpected character encountered while parsing value
        no json object could be decoded
        unexpected non-whitespace character after json
        after json at position
        use jsonreader.setlenient(true)
        """,
    "python-for-json": """
        enclosed in double quotes
        expected double-quoted property name
        expected property name or
        unexpected token ' in json
        unexpected token n in json
        expecting property name
        name 'null' is not defined
        name 'true' is not defined
        name 'false' is not defined
        malformed node or string
        unexpected character (''' (code 39))
        """,
    "str-of-bytes": """
        object of type bytes is not json serializable
        type bytes is not json serializable
        """,
    "decoded-twice": """
        is not json serializable
        object has no attribute 'decode'
        object has no attribute 'encode'
        the json object must be str, bytes or bytearray, not
        the json object must be str, not
        expected string or buffer
        expected string or bytes-like object
        decoding str is not supported
        """,
    "json-twice": """
        string indices must be integers
        'str' object has no attribute 'get'
        'str' object has no attribute 'items'
        'str' object has no attribute 'keys'
        'str' object does not support item assignment
        """,
    "own-module": """
        partially initialized module
        most likely due to a circular import
        consider renaming
        module 'socket' has no attribute
        module 'json' has no attribute
        'module' object has no attribute 'socket'
        'module' object has no attribute 'dumps'
        'module' object has no attribute 'loads'
        cannot import name 'socket' from
        cannot import name 'json' from
        'module' object is not callable
        """,
    "escaped-bytes-text": r"""
        invalid \escape
        invalid \uxxxx escape
        bad escaped character in json
        """,
    "other-encoding": """
        utf-8-sig
        byte order mark
        keyerror: 'secret'
        surrogates not allowed
        unexpected utf-8 bom
        codec can't decode byte
        codec can't encode character
        unicodedecodeerror
        unicodeencodeerror
        keyerror: 'studentnr
        keyerror: 'classname'
        keyerror: 'clientid'
        keyerror: 'teamname'
        keyerror: 'ip'
        """,
    "trailing-comma": """
        illegal trailing comma
        the json object contains a trailing comma
        """,
    "missing-colon": """
        expecting ':' delimiter
        expected ':' after property name
        """,
    "missing-comma": """
        expected ',' or '}' after property value
        """,
    "newline-in-text": """
        invalid control character
        bad control character in string literal
        """,
}

WORDINGS = {
    "one-recv": """
        soms krijg ik de helft van het bericht
        manchmal kommt nur die hälfte der nachricht
        json.loads fails sometimes over the network
        recv(1024) does not give everything
        only the first 1024 bytes arrive
        message is not complete
        data comes in several parts
        het bericht is niet compleet
        die nachricht ist nicht vollständig
        message longer than the buffer size
        how many bytes do i give to recv
        how do i know that the whole message arrived
        hoe weet ik of het hele bericht er is
        only a part of the message arrives
        i get half of the json and the rest comes later
        the message is cut in the middle
        recv gives an incomplete message
        received data is truncated after 1024 bytes
        long messages arrive in pieces
        json is sometimes broken between two machines but never on one
        er komt maar een deel van het bericht aan
        er komt maar een stuk van de json binnen
        het bericht wordt afgekapt
        nur ein teil der nachricht kommt an
        die nachricht ist abgeschnitten
        """,
    "not-listening": """
        connection refused although his program is running
        refused although client 2 was started
        client 2 has another port or address than i gave
        geweigerd terwijl client 2 wel draait
        abgelehnt obwohl client 2 läuft
        in which order do i start the programs
        cannot connect to client 2
        wrong port number
        could not resolve the host name
        client 1 cannot connect because client 2 was not started
        the connection is refused
        server is not running
        which program to start first
        host name cannot be found
        de verbinding wordt geweigerd
        client 2 draait niet
        die verbindung wird abgelehnt
        client 2 läuft nicht
        """,
    "wrong-bind-address": """
        client 2 can only be reached from its own machine
        reached from itself only and not from other machines
        localhost works but with the real ip address it is refused
        should i bind to 0.0.0.0 or 127.0.0.1
        only i can connect to my server
        only clients on the own machine can connect
        my classmate cannot connect to my server but i can
        others cannot connect to my program
        mijn teamgenoot kan niet verbinden maar ik zelf wel
        mein partner kann sich nicht verbinden aber ich schon
        it works on one machine but not on two
        works on localhost but not over the network
        refused from another machine but fine on the same machine
        works on the own machine but not from the second machine
        works on the same machine but not from another one
        everything works locally with 127.0.0.1 but the other machine cannot connect
        on the own machine it works but from the other machine the connection is refused
        can connect on the same machine but not from the second machine
        listener bound to localhost
        het werkt op één laptop maar niet op twee
        lokaal werkt het wel maar vanaf een andere laptop niet
        es geht auf einem rechner aber nicht auf zwei
        lokal geht es aber vom anderen rechner nicht
        """,
    "firewall": """
        connecting to my teammate times out
        the network blocks connections between students
        timeout when connecting to the other machine
        verbinden met mijn teamgenoot geeft een time-out
        verbinden mit meinem partner ergibt timeout
        it works at home but not at school or in the university
        do i have to open a port in the firewall or router
        connecting to the other machine does not work on the school network
        thuis werkt het maar op school niet
        zu hause geht es aber in der hochschule nicht
        connecting takes very long and then fails
        times out after some seconds
        firewall blocks the connection
        cannot ping the other machine
        on the wifi of the school we cannot reach each other
        eduroam guest network isolated
        the other machine is not reachable
        connect hangs for a minute and then gives a timeout
        verbinden duurt heel lang en stopt dan
        de firewall blokkeert python
        op de wifi van school kunnen we elkaar niet bereiken
        verbinden dauert lange und bricht dann ab
        die firewall blockiert
        im wlan der hochschule erreichen wir uns nicht
        """,
    "wrong-own-ip": """
        docker or vpn address in the message
        ip remark loopback
        getsockname own address
        which ip is mine
        what is my ip address
        how do i find my own ip
        gethostbyname gives 127.0.1.1
        my ip is 127.0.0.1 in the message
        gethostname returns the wrong address
        public ip from whatismyip
        wat is mijn ip adres
        welke ip moet ik invullen
        welche ip habe ich
        wie finde ich meine ip adresse
        """,
    "port-in-use": """
        after ctrl-c i cannot start again for about a minute
        restarting client 2 quickly does not work
        second start of client 2 fails at bind
        na ctrl-c kan ik niet opnieuw starten
        nach strg-c kann ich nicht neu starten
        change the port number every time i run
        need a new port after each run
        elke keer een andere poort nodig
        jedes mal einen anderen port
        bind fails after a crash
        which program uses the port
        kill the process that holds the port
        no permission to use port 80
        ports below 1024
        the port is in use when i start the program again
        cannot bind to the port a second time
        i have to wait a minute before i can restart
        another program uses my port
        port is taken
        how do i free a port
        de poort is bezet
        poort al in gebruik
        ik kan niet opnieuw starten zonder een minuut te wachten
        der port ist belegt
        port wird schon benutzt
        """,
    "python-for-json": """
        json must have double quotes
        true false null in python
        eval fails on null
        my json has single quotes
        none instead of null
        str of a dict is not json
        can i use eval to read the json
        enkele aanhalingstekens in json
        einfache anführungszeichen in json
        """,
    "str-of-bytes": """
        why do i see b' when i print
        output has b' and quotes around it
        how do i remove the b before the string
        there is a b in front of my text
        the text begins with b'
        b before the string in the output
        er staat een b voor mijn tekst
        vor meinem text steht ein b
        """,
    "welcome-as-reply": """
        the parser fails on the first message of the server
        why does the server send text that is not json
        read the welcome first
        the first thing i receive is the welcome and not the reply
        every answer comes one too late
        json.loads fails on the welcome text
        welcome and reply are glued together
        ik krijg het welkomstbericht in plaats van het antwoord
        elk antwoord komt één te laat
        ich bekomme die begrüßung statt der antwort
        """,
    "end-of-stream": """
        endless loop of empty messages after the client disconnects
        connection is suddenly closed
        connection lost while sending
        machine gets hot
        verbinding wordt plotseling verbroken
        verbindung bricht plötzlich ab
        recv returns b'' all the time
        recv returns empty bytes
        the loop prints b'' over and over
        while true loop prints empty bytes again
        programma blijft lege bytes ontvangen
        infinite loop with empty data
        the cpu is at 100 percent
        the fan turns and the processor is busy
        program never ends while receiving
        the other side closed the connection
        the server disconnects me
        recv geeft lege bytes terug
        oneindige lus en de processor op 100 procent
        de ventilator draait
        endlosschleife und prozessor bei 100 prozent
        recv liefert leere bytes
        der lüfter dreht auf
        """,
    "numbers-not-changed": """
        moeten de studentnummers omgewisseld worden
        müssen die matrikelnummern vertauscht werden
        order of the two student numbers in message 2
        who is studentnr1 in the message of client 2
        message 2 still has clientid 1
        do i have to swap the student numbers
        swap studentnr1 and studentnr2
        clientid must be 2 in the second message
        which student number comes first for client 2
        studentnummers omwisselen
        matrikelnummern vertauschen
        """,
    "object-not-continued": """
        how can client 2 get the secret from client 1
        which secret do i put in message 2
        what do i put in status and secret of message 2
        message 2 made from scratch without the secret
        what does client 1 send to client 2
        how do i give the secret to client 2
        where does client 2 get the secret
        secret is empty in message 2
        the secret is lost on the way
        do i send the status back
        waar haalt client 2 het secret vandaan
        woher bekommt client 2 das secret
        """,
    "both-wait": """
        read never returns
        recv never returns
        program waits in recv and does not continue
        nothing comes back after sending
        programma wacht op recv en komt niet verder
        programm wartet in recv und kommt nicht weiter
        program never finishes
        accept waits forever
        blocked in accept or recv
        script does not end and shows no error
        het script loopt vast
        programma loopt vast zonder foutmelding
        mein programm reagiert nicht mehr
        programm friert ein
        programm wartet und endet nie
        nothing is printed after connecting
        the terminal is frozen after accept
        no output any more
        the script does not continue or end
        the reply never comes
        server never gets the whole message and client waits
        er wordt niets geprint
        es wird nichts mehr ausgegeben
        nothing happens and there is no error
        the program hangs
        the program stands still
        both programs wait for each other
        recv waits forever
        recv blocks
        stuck at recv
        deadlock between client and server
        the server does not answer
        no response
        het programma blijft hangen
        er gebeurt niets en geen foutmelding
        het programma staat stil
        beide wachten op elkaar
        das programm hängt
        es passiert nichts und keine fehlermeldung
        beide warten aufeinander
        """,
    "wrong-type": """
        how to convert string to bytes for a socket
        can only send bytes not string
        socket is already closed when sending
        use the listening socket to send or recv
        with statement closes my socket too early
        can i send a dict or a string with send
        how to send a dictionary through a socket
        how to send text over a socket
        accept returns a tuple
        the port must be a number not text
        socket used after close
        forgot to call listen
        hoe stuur ik een string over een socket
        wie sende ich einen string über einen socket
        """,
    "other-encoding": """
        bom at the start of the file
        byte order mark in the json file
        the é in the team name turns into strange symbols
        file saved with notepad cannot be read
        encoding of the json file is wrong
        dictionary key error
        strange characters in the name
        letters with accents are wrong
        ë becomes Ã«
        json field name is not found
        key is missing in the dict
        vreemde tekens in de naam
        umlaute sind falsch
        """,
    "connected-twice": """
        reconnect on the same socket fails
        retry connect with the same socket
        calling connect again on the same socket
        connect in a loop fails the second time
        can i reuse a socket for the second connection
        tweede keer connect met dezelfde socket
        zweites connect mit demselben socket
        """,
    "non-blocking": """
        settimeout(0) error at recv
        settimeout 0
        non-blocking socket
        recv returns at once without data
        accept does not wait
        setblocking false
        recv wacht niet
        recv wartet nicht
        """,
    "sockets-left-open": """
        each try makes a new socket
        too many sockets open
        crash after hundreds of connections
        resource leak of sockets
        after many tries no more sockets can be opened
        do i have to close the socket
        file descriptors run out
        na veel pogingen kan ik geen socket meer openen
        nach vielen versuchen geht kein socket mehr auf
        """,
    "udp": """
        sendto and recvfrom
        packets get lost
        udp or tcp
        do i need udp
        datagram socket
        udp of tcp gebruiken
        """,
    "wsl": """
        running in wsl timed out from the other machine
        program in wsl not reachable from outside
        wsl2 others cannot connect
        linux in windows virtual network
        wsl
        windows subsystem for linux
        ubuntu inside windows
        my ip begins with 172
        client 2 in wsl cannot be reached
        nobody can connect to wsl
        ubuntu onder windows
        ubuntu unter windows
        """,
    "decoded-twice": """
        data is none after print or update
        convert dict to json and bytes
        bytes or text or dict
        do i have to decode before json.loads
        json.loads of a dict
        decode twice
        moet ik decoderen voor json.loads
        """,
    "own-module": """
        import socket gives a strange attribute error
        circular import
        my file is called socket.py
        i named my program json.py
        import of my own file instead of the module
        mijn bestand heet socket.py
        meine datei heißt socket.py
        """,
    "escaped-bytes-text": """
        json fails only for a name with an apostrophe
        invalid backslash after str(data)[2:-1]
        backslash in the json only with some names
        apostrophe in the team name breaks json
        apostrof in de teamnaam
        apostroph im teamnamen
        """,
    "self-connect": """
        client 1 talks to itself
        connected without a listener running
        client connects although nobody listens
        i receive my own message back
        my client connects to itself
        client 1 is connected before client 2 runs
        client 1 is already connected although client 2 was not started
        ik krijg mijn eigen bericht terug
        mijn client verbindt met zichzelf
        ich bekomme meine eigene nachricht zurück
        """,
    "refusal-ignored": """
        status of message 1 was an error and then message 2 is refused too
        do i check the status before i hand over
        message 1 was refused but client 2 sends on
        client 2 gets an error about message 1
        status of the reply begins with error and i send it on
        bericht 1 is geweigerd maar client 2 gaat door
        """,
    "second-message": """
        open a new connection for message 2
        do i keep the connection open for message 2
        can i send message 2 over the same socket as message 1
        use the same connection for message 1 and message 2
        do i need a new connection for each message
        moet ik voor bericht 2 opnieuw verbinden
        brauche ich für nachricht 2 eine neue verbindung
        second message gets no reply
        only the first message is answered
        can i send two messages on one connection
        the server closes after the first reply
        tweede bericht krijgt geen antwoord
        zweite nachricht bekommt keine antwort
        """,
    "trailing-comma": """
        trailing comma in the json
        """,
    "json-twice": """
        json.dumps twice
        json.loads gives a string and not a dict
        json.loads geeft een string
        """,
}

# Words that count as the same one: the first of each line stands for all of them.
SAME_WORDS = """
    two 2 twee zwei
    both beide each
    machine machines laptop laptops computer computers pc pcs rechner macbook host hosts
    hang hangs hung hanging hangt hängt stuck freeze frozen blocks stilstaan stil still stands vast reagiert friert
    wait waits waiting wacht wachten wartet warten
    forever endless endlessly eeuwig ewig
    nothing niets niks nichts
    happens happen gebeurt passiert
    wifi wlan wi-fi
    cpu processor prozessor
    percent procent prozent
    fan ventilator lüfter
    own eigen eigene eigenes myself self itself zichzelf
    mine my mijn mein meine
    twice second again tweede zweite zweites opnieuw
    reply replies answer answers answered response responds antwoord antwort
    message messages bericht berichten nachricht nachrichten
    connect connects connected connecting connection verbinden verbinding verbindung verbindt
    refused refuses refuse rejects rejected geweigerd geweigert abgelehnt verweigert
    reach reached reachable bereiken erreichen
    part parts half deel stuk helft hälfte teil piece pieces incomplete truncated cut partial afgekapt abgeschnitten
    port poort
    use used uses gebruik gebruikt bezet belegt benutzt taken busy occupied
    empty leeg lege leer leere
    arrives arrive comes receive received receives receiving get gets krijg krijgt komt bekomme
    loop lus schleife endlosschleife infinite oneindige
    network netwerk netz netzwerk
    firewall firewalls defender
    restart restarting start starts started starten starte
    close closed closes closing
    local locally localhost lokaal lokal
    wrong false incorrect verkeerd falsch weird strange vreemde
    apostrophe apostrof apostroph
    number numbers nummer nummers
    every each elke jedes jede
    finish finishes finished ends end endet eindigt stops stopt
    print prints printed geprint ausgegeben output shows show toont zeigt
    partner classmate teammate friend teamgenoot klasgenoot kommilitone kommilitonin others other andere anderen anderer
    school university uni campus hochschule universiteit hogeschool eduroam
    ip ip-adres ip-adresse ip-address
    student studentnummer studentnummers matrikelnummer matrikelnummern
    swap swapped omwisselen omgewisseld vertauschen vertauscht exchange
    name names naam namen
    text string tekst strings
    slow long lang lange
"""

# Words that tell nothing.
COMMON_WORDS = """
    client 1 just always error errno winerror traceback 127.0.0.1 5551
    a an the is are was be it its i we you he of to in on at for and or but not no do does did this that there
    what which how when with from by as if so can have has had will would get only then
    de het een zijn ik wij je van naar op bij voor en maar niet geen dat die er wat hoe met als dan wel
    der die das ein eine ist sind war ich wir du von zu im auf bei für und oder aber nicht kein dass es wie mit wenn
"""
