"""Other words for the mistakes, as data: of other systems and languages, and of students. They are not on the page.

PHRASES are texts of errors, found as they stand. WORDINGS are descriptions: the one that shares the rarest words with
the text counts. Both are by the id of a mistake or of a problem of the catalogue, in small letters, one a line.
"""

# Of other entries than the first one of their line of the table, or of systems that the table leaves out.
PHRASES = {
    "not-listening": """
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
        already connected
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
        is not json serializable
        """,
    "decoded-twice": """
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
        my json has single quotes
        none instead of null
        str of a dict is not json
        can i use eval to read the json
        enkele aanhalingstekens in json
        einfache anführungszeichen in json
        """,
    "str-of-bytes": """
        there is a b in front of my text
        the text begins with b'
        b before the string in the output
        er staat een b voor mijn tekst
        vor meinem text steht ein b
        """,
    "welcome-as-reply": """
        the first thing i receive is the welcome and not the reply
        every answer comes one too late
        json.loads fails on the welcome text
        welcome and reply are glued together
        ik krijg het welkomstbericht in plaats van het antwoord
        elk antwoord komt één te laat
        ich bekomme die begrüßung statt der antwort
        """,
    "end-of-stream": """
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
        do i have to swap the student numbers
        swap studentnr1 and studentnr2
        clientid must be 2 in the second message
        which student number comes first for client 2
        studentnummers omwisselen
        matrikelnummern vertauschen
        """,
    "object-not-continued": """
        where does client 2 get the secret
        secret is empty in message 2
        the secret is lost on the way
        do i send the status back
        waar haalt client 2 het secret vandaan
        woher bekommt client 2 das secret
        """,
    "both-wait": """
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
        strange characters in the name
        letters with accents are wrong
        ë becomes Ã«
        json field name is not found
        key is missing in the dict
        vreemde tekens in de naam
        umlaute sind falsch
        """,
    "connected-twice": """
        calling connect again on the same socket
        connect in a loop fails the second time
        can i reuse a socket for the second connection
        tweede keer connect met dezelfde socket
        zweites connect mit demselben socket
        """,
    "non-blocking": """
        recv returns at once without data
        accept does not wait
        setblocking false
        recv wacht niet
        recv wartet nicht
        """,
    "sockets-left-open": """
        after many tries no more sockets can be opened
        do i have to close the socket
        file descriptors run out
        na veel pogingen kan ik geen socket meer openen
        nach vielen versuchen geht kein socket mehr auf
        """,
    "udp": """
        udp or tcp
        do i need udp
        datagram socket
        udp of tcp gebruiken
        """,
    "wsl": """
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
        bytes or text or dict
        do i have to decode before json.loads
        json.loads of a dict
        decode twice
        moet ik decoderen voor json.loads
        """,
    "own-module": """
        my file is called socket.py
        i named my program json.py
        import of my own file instead of the module
        mijn bestand heet socket.py
        meine datei heißt socket.py
        """,
    "escaped-bytes-text": """
        backslash in the json only with some names
        apostrophe in the team name breaks json
        apostrof in de teamnaam
        apostroph im teamnamen
        """,
    "self-connect": """
        i receive my own message back
        my client connects to itself
        client 1 is connected before client 2 runs
        client 1 is already connected although client 2 was not started
        ik krijg mijn eigen bericht terug
        mijn client verbindt met zichzelf
        ich bekomme meine eigene nachricht zurück
        """,
    "refusal-ignored": """
        message 1 was refused but client 2 sends on
        client 2 gets an error about message 1
        status of the reply begins with error and i send it on
        bericht 1 is geweigerd maar client 2 gaat door
        """,
    "second-message": """
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
    two 2 both twee zwei beide
    machine machines laptop laptops computer computers pc pcs rechner macbook host hosts
    hang hangs hung hanging hangt hängt hängen stuck freeze freezes frozen blocks blocked stilstaan stil still stands
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
    part parts half deel teil piece pieces incomplete truncated cut partial afgekapt abgeschnitten
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
    swap swapped omwisselen vertauschen exchange
    name names naam namen
    text string tekst strings
    slow long lang lange
"""

# Words that tell nothing.
COMMON_WORDS = """
    client 1 just always error
    a an the is are was be it its i we you he of to in on at for and or but not no do does did this that there
    what which how when with from by as if so can have has had will would get only then
    de het een zijn ik wij je van naar op bij voor en maar niet geen dat die er wat hoe met als dan wel
    der die das ein eine ist sind war ich wir du von zu im auf bei für und oder aber nicht kein dass es wie mit wenn
"""
