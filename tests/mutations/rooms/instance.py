"""vault_plugin: one issuer, put together."""

MUTATIONS = [
    ("no plan after out of memory", "vault_plugin/instance_run.cpp", "return Wait{-1, 0, pauseAfterFailure};",
     "return std::nullopt;", "after out-of-memory in a run the life goes on", "instance_memory_test:MemoryTest.ARun*"),
    ("interrupted attempt awaited", "vault_plugin/instance_run.cpp", "_keeper.replan(_services->clock().now());", "",
     "after out-of-memory in a run the life goes on", "instance_memory_test:MemoryTest.ARun*"),
    ("Retry-After not handed over", "vault_plugin/handover.cpp", "visit(\"retry.not_before\", retry.notBefore);", "",
     "handover.h: every fact comes through", "instance_test:AHandover.*"),
    ("streak not handed over", "vault_plugin/handover.cpp", "visit(\"retry.streak\", retry.streak);", "",
     "handover.h: every fact comes through", "instance_test:AHandover.*"),
    ("max TTL not handed over", "vault_plugin/handover.cpp", "visit(\"lease.max_ttl_end\", lease.maxTtlEnd);", "",
     "handover.h: every fact comes through", "instance_test:AHandover.*"),
    ("clock of another boot", "vault_plugin/handover.cpp",
     "if (boot.empty() || json->optValue<std::string>(\"boot\", \"\") != boot) {", "if (false) {",
     "handover.h: nothing is taken from another run of the machine", "instance_test:HandoverTest.*"),
    ("damage taken", "vault_plugin/handover.cpp", "if (!unsealed(text)) {", "if (false) {",
     "handover.h: a damaged state is refused", "instance_test:HandoverTest.*"),
    ("reports after the stop", "vault_plugin/instance.cpp", "\t_armable = false;\n\tauto& scheduler",
     "\tauto& scheduler", "CONTRACT: stop returning OK is a promise that no code runs", "instance_test:*"),
    ("nudge lost", "vault_plugin/instance_run.cpp",
     "const bool messageLeft = _renewNow || _rereadToken || _newsRead;", "const bool messageLeft = _newsRead;",
     "control.h: a renewal is asked for, also while a request is out", "instance_test:InstanceTest.*"),
]
