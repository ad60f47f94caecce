"""Names of Datadog's units, to recognise a misspelt unit.

Collected by hand. Datadog adds units, so an unknown name is not a fault.
"""

UNITS = frozenset(
    """
    bit byte kibibyte mebibyte gibibyte tebibyte pebibyte exbibyte
    nanosecond microsecond millisecond second minute hour day week
    fraction percent apdex percent_nano
    connection request packet segment response message payload timeout datagram route session
    process core thread host node fault service instance cpu
    file inode sector block
    buffer error read write occurrence event time unit operation item task worker resource email sample stage monitor
    location check attempt device update method job container execution throttle invocation user success build
    prediction exception
    table index lock transaction query row key command offset record object cursor assertion scan document shard flush
    merge refresh fetch column commit wait ticket question
    hit miss eviction get set page split hertz kilohertz megahertz gigahertz entry
    dollar cent microdollar euro pound penny yen
    nanocore microcore millicore nanowatt microwatt milliwatt watt kilowatt megawatt gigawatt
    millivolt volt milliampere ampere decibel token span run
    """.split()
) | {'degree celsius', 'degree fahrenheit', 'decidegree celsius', 'garbage collection'}
