"""The rules of the fleet, each broken on purpose: docs/fleet.md. Used by mutations.py."""

DIES, KEPT, ONE, MORE, LOOK_UP, FORECAST, LEFT, IN_TIME, RELEASED, MULTIPLIED, ALONE = (
    "NoTokenDies", "AllAreKept", "OneKeeperInQuiet", "NoMoreThanNeeded", "NoLookUpWithAState", "ForecastStays",
    "NothingIsLeft", "RenewedInTime", "LetsGoToAKeeper", "OutagesAreNotMultiplied", "LittleIsBegunWithoutEngine")

PLAN, FACTS, BEGINNING, LETTING_GO, WATCHING, MEMBERS, LATENESS, RECORD, RING = (
    f"../host_stub/fleet/{name}.cpp" for name in (
        "plan", "plan_facts", "plan_beginning", "plan_letting_go", "plan_watching", "members", "lateness", "shard_record", "ring"))

# The rule, what breaks it, the file, what stands there, what stands there instead, the property that notices.
BY_WORLDS = [
    ("fleet join", "two processes go on under one name", FACTS, "_actions.emplace_back(JoinAs{name});", "", ONE),
    ("fleet begin", "members come and go without a change of ranks", FACTS, "shard.rank = rank;", "", KEPT),
    ("fleet begin", "the states are not imported", BEGINNING, "newestOf(shard.seen, issuer.name));", "nullptr);", LOOK_UP),
    ("fleet begin", "the oldest state is imported", RECORD, "isNewer(state, *newest)", "isNewer(*newest, state)", FORECAST),
    ("fleet let go", "no keeper lets go", LETTING_GO, "if (issuer.role == Role::keeper) {", "if (false) {", ONE),
    ("fleet let go", "the state stays behind", LETTING_GO, "_unneeded.push_back(state.name);", "", LEFT),
    ("fleet let go", "an early read ends the search for states", LETTING_GO, "if (!shard.tidy || *shard.tidy <= now.boot) {",
     "if (true) {", LEFT),
    ("fleet watch", "the second acts no sooner than the third", WATCHING, "if (shard.rank == 2) {", "if (false) {", DIES),
    ("fleet watch", "nothing is ever late", WATCHING, "latenessOf(*newest, now.wall) >= enough && !serverAway", "false", DIES),
    ("fleet watch", "an untold issuer is never begun", WATCHING,
     "now.boot >= *issuer.untoldSince + patience && !serverAway", "false", DIES),
    ("fleet watch", "looks every ten minutes", WATCHING, "return std::max(pause, shortest);", "return longest;", DIES),
    ("fleet watch", "a watch never ends", WATCHING, "if (isKept) {", "if (false) {", ONE),
    ("fleet away", "no member watches while the engine is away", WATCHING, "return shard.rank <= 2 ? Watch::second : Watch::none;",
     "return Watch::none;", DIES),
    ("fleet join", "a new lease does not get the states again", FACTS, "issuer.unwritten = issuer.own.has_value();", "",
     LOOK_UP),
    ("fleet begin", "the last state is taken for one that a renewal helps", LATENESS, "return isFinal(one) && !isFinal(other);",
     "return false;", FORECAST),
    ("fleet let go", "without the first's word", MEMBERS, "known->member.record.kept[shard] && ", "", RELEASED),
    ("fleet let go", "after a pause by old news", PLAN, "_engine.paused(now.boot);", "", RELEASED),
    ("fleet let go", "while the engine is away", LETTING_GO, "if (!_engine.isTrusted()) {", "if (false) {", RELEASED),
    ("fleet let go", "its state is deleted whatever the other tells", LETTING_GO, "tells(other) && !isNewer(state, other)", "true",
     FORECAST),
    ("fleet let go", "what is watched over goes as well", LETTING_GO,
     "!shard.has(Role::keeper) || !_members.firstKeeps(number, _lists)) {\n\t\t\tcontinue;\n\t\t}\n"
     "\t\tfor (auto& issuer : shard.issuers) {\n\t\t\tif (issuer.role == Role::keeper) {",
     "!_members.firstKeeps(number, _lists)) {\n\t\t\tcontinue;\n\t\t}\n"
     "\t\tfor (auto& issuer : shard.issuers) {\n\t\t\tif (issuer.role != Role::none) {", RELEASED),
    ("fleet watch", "a new issuer waits for the next look at its shard", PLAN, "if (shard.issuers.size() > known[number]) {",
     "if (false) {", KEPT),
    ("fleet watch", "the next look goes by this host's states alone", WATCHING, "std::ranges::for_each(shard.seen, consider);",
     "", ONE),
    ("fleet away", "a start that has seen no members watches over everything", WATCHING,
     "if (!_engine.isAway() || !_engine.hasListed()) {", "if (!_engine.isAway()) {", ALONE),
    ("fleet watch", "the third is the third whatever lists there are", WATCHING, "_members.betterWithSameList(shard.number, _lists) <= 2;",
     "shard.rank == 3;", DIES),
    ("fleet watch", "there is no third", WATCHING, "_members.betterWithSameList(shard.number, _lists) <= 2;",
     "false;", DIES),
    ("fleet watch", "a failing renewal is due when it is tried next", PLAN,
     "if (told.state != ISSUER_STATE_RETRYING || issuer->due == WallTime{}) {", "if (true) {", IN_TIME),
    ("fleet watch", "clocks that differ are not translated", MEMBERS, "*time == WallTime{} ? *time : *time - difference",
     "*time", IN_TIME),
    ("fleet watch", "requests are multiplied while the server is away", WATCHING,
     "return running > 0 && failing * 2 >= running;", "return false;", MULTIPLIED),
    ("fleet away", "a start begins nothing", BEGINNING, "if (_engine.hasListed() || !_started ||", "if (true || !_started ||",
     DIES),
    ("fleet away", "a start begins everything", BEGINNING, "if (!_lastRing && issuers > _settings.issuersWithoutRing) {",
     "if (false) {", ALONE),
    ("fleet away", "a start begins what the ring gives to others", BEGINNING, "(!_lastRing || shard.rank <= 3)", "true",
     ALONE),
]

# The rule, what breaks it, the file, what stands there, what stands there instead, the tests of host_fleet_plan_test.
BY_TESTS = [
    ("fleet ring", "another hash", RING, "text += '\\0';", "text += '/';", "Ring.*"),
    ("fleet ring", "the weakest claim is first", RING, "one.weight > other.weight", "one.weight < other.weight", "Ring.*"),
    ("fleet begin", "a shard counts as kept before its states are written", PLAN,
     "return issuer.role == Role::keeper && issuer.own;", "return issuer.role == Role::keeper;", "FleetBegins.*"),
    ("fleet begin", "a read that failed is repeated at once", FACTS,
     "found->second.pause = now.boot + _settings.takeover / 5;", "", "FleetBegins.*"),
    ("fleet begin", "a state by a clock that is far ahead is imported", BEGINNING, "state && canBeImported(*state)", "state",
     "FleetBegins.*"),
    ("fleet begin", "the clock of a member that is gone is forgotten", MEMBERS, "_gone.insert_or_assign(name, *known.ahead);", "",
     "FleetBegins.*"),
    ("fleet let go", "whatever list the first has", MEMBERS, "known->member.record.kept[shard] && firstHasSameList(shard, lists)",
     "known->member.record.kept[shard]", "FleetLetsGoToB.*"),
    ("fleet let go", "the state of a writer whose news is late is deleted", LETTING_GO, "!isMine && !isLongGone(now, state.name.member)",
     "false", "FleetLetsGo.*"),
    ("fleet watch", "a watch ends by what worse ranks tell", MEMBERS, "return place && *place < rank(shard);",
     "return place && member != _self;", "FleetWatchesOverB.*"),
    ("fleet watch", "a third acts although the engine takes no states", WATCHING, "isThird && !_engine.refusesWrites()",
     "isThird", "FleetWatches.*"),
    ("fleet watch", "the slower of two records tells the clock", MEMBERS,
     "std::max(ahead, goesOn ? known.latest.value_or(ahead) : ahead)", "ahead", "FleetWatches.*"),
    ("fleet away", "firsts are begun", FACTS, "if (_engine.isTrusted()) {\n\t\t\ttidy", "if (true) {\n\t\t\ttidy",
     "FleetWithoutEngine.*"),
]
