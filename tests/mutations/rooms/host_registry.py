"""host_stub/registry: the configured issuers."""

MUTATIONS = [
    ("pauses go on growing", "host_stub/registry/issuer.cpp", "\t\t_failures = 0;\n\t\t_problem.clear();", "\t\t_problem.clear();",
     "status: after a start that succeeds the failures begin anew", "host_registry_test:AStartThatSucceeds.*"),
    ("stops one after the other", "host_stub/registry/registry.cpp",
     "forEach(leaving, [](Issuer& issuer) { issuer.beginStop(); });", "",
     "registry.h: stopping many takes no longer than the slowest", "host_registry_test:StoppingMany.*"),
    ("old one forgotten", "host_stub/registry/swapping.cpp",
     "if (state && !_now.instance->importState(*state, soon())) {", "if (false) {",
     "CONTRACT: where the new one fails, the old one is created again and imports its state",
     "host_registry_test:Swap.*"),
    ("recorder kept in a swap", "host_stub/registry/swapping.cpp",
     "const CallResult silent = old->recordNothing(soon());", "const CallResult silent;",
     "CONTRACT: set_recorder(old, NULL) before destroy(old)", "host_registry_test:Swap.*"),
    ("request cut off", "host_stub/registry/swapping.cpp", "awaitQuiet(*old);", "",
     "CONTRACT: a careful host waits a moment while a request is out", "host_registry_test:Swap.*"),
    ("unload before destroy", "host_stub/registry/issuer.cpp", "_now.plugin.reset();", "",
     "CONTRACT: after a stop the library is unloaded", "host_registry_test:RegistryOf.Stop*"),
]
