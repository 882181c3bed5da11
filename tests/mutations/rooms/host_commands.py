"""host_stub/commands: the command line."""

MUTATIONS = [
    ("answer without ok", "host_stub/commands/gc.cpp", "status->optValue(\"ok\", false)", "status->optValue(\"ok\", true)",
     "gc --help: 69 a host is there but does not answer, and nothing was removed", "host_commands_test:AGc.*"),
    ("newest removed", "host_stub/commands/gc.cpp", "versions.erase(versions.begin());", "",
     "gc --help: kept is the newest version of each plugin", "host_commands_test:AGc.*"),
    ("version in use removed", "host_stub/commands/gc.cpp", "if (!isUsed(version.file)) {", "if (true) {",
     "gc --help: kept is what the running host's issuers use", "host_commands_test:AGc.*"),
    ("dry run removes", "host_stub/commands/gc.cpp", "_dryRun ? Result<void>() : remove(path)", "remove(path)",
     "gc --help: --dry-run removes nothing", "host_commands_test:AGc.*"),
    ("warnings in passing unheard", "host_stub/commands/diagnosis.cpp", "if (level >= ISSUER_LOG_WARN) {",
     "if (level >= ISSUER_LOG_ERROR) {", "doctor: what a plugin warns of in passing is a finding",
     "host_program_test:TheDoctor.FindsWhat*"),
    ("problems are no failure", "host_stub/commands/validate.cpp",
     "std::min<std::size_t>(static_cast<std::size_t>(failed), mostFailures)", "std::size_t{failed > 60 ? 1U : 0U}",
     "validate --help: the exit code is how many checks have failed", "validate:starts"),
]
