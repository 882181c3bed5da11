"""host_stub/fleet/etcd: the door to etcd, judged by texts and by servers that are none."""

TEXTS = "host_fleet_etcd_test:Etcd*"
GARBAGE = "host_fleet_etcd_test:Garbage*"

MUTATIONS = [
    ("a page of a proxy is an answer of its endpoint", "host_stub/fleet/etcd/client.cpp",
     "body.empty() && piece.front() != '{'", "body.empty() && piece.front() == '\\0'",
     "client.h: an endpoint that failed is asked last", GARBAGE),
    ("a reply has no largest size", "host_stub/fleet/etcd/client.cpp", "body.size() + piece.size() > largestReply",
     "piece.size() > largestReply", "client.cpp: a reply of 64 MiB at most", GARBAGE),
    ("a stream's last line counts only with its end", "host_stub/fleet/etcd/client.cpp",
     "reply && !ended && !lines.rest().empty()", "false && !lines.rest().empty()",
     "fleet.md: a watch without a leader ends and says so", GARBAGE),
    ("a lease needs no id", "host_stub/fleet/etcd/lease.cpp", "\tif (!lease) {", "\tif (!granted) {",
     "lease.cpp: a grant without an id is no lease", GARBAGE),
    ("a status of a proxy is a refusal of etcd", "host_stub/fleet/etcd/troubles.cpp",
     "\t\t\tKind::away, \"answered with status \"", "\t\t\tKind::denied, \"answered with status \"",
     "client.h: away is no usable answer", GARBAGE),
    ("a refusal is told as an etcd that is away", "host_stub/fleet/etcd/troubles.cpp",
     "return {Kind::denied, \"etcd refuses: \"", "return {Kind::away, \"etcd refuses: \"",
     "fleet.md: denied is told apart from away", TEXTS),
    ("a full etcd is away", "host_stub/fleet/etcd/troubles.cpp", "return {Kind::full,", "return {Kind::away,",
     "client.h: full reads and keeps leases alive", TEXTS),
    ("a lease that is gone is an etcd that is away", "host_stub/fleet/etcd/troubles.cpp",
     "code == notFound && has", "code == notFound && !has", "client.h: a lease that does not exist is gone", TEXTS),
]
