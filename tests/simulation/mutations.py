#!/usr/bin/env python3
"""Breaks the renewal core and the table of places on purpose, one rule at a time, and sees it noticed.

usage: mutations.py BUILD_DIR [RULE or NAME...]

BUILD_DIR is a build in which `simulate` is built, and the test programs that the list names (Ninja, no sanitizers).
Each mutation replaces one piece of one source file in a copy, compiles that copy as the build compiles the original, and
links a program anew with it: `simulate`, where the property that the rule serves must then be broken in some world; or,
for a rule that lives in rooms which the simulator does not hold, a test program, where the named test must fail. A rule
whose text is not found once is an error as well: the list below is to be kept as the source is.
"""

import concurrent.futures
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile

import fleet_mutations
import login_mutations

SOURCES = pathlib.Path(__file__).resolve().parents[2] / "vault_plugin"
WORLDS = "300000"  # at most; the first one in which it shows is enough
MANY = "1000000"   # worlds for a rule that only rare events test; as many as are played with the unbroken rules

LOST, HAMMERED, FORECAST, RECOVERS, QUIET, SILENT, STOPS = (
    "NeverLostInVain", "NeverHammered", "DeathIsForecast", "AlwaysRecovers", "StaysQuiet", "NeverSilent",
    "StopsForGood")

# The rule, what breaks it, the file, what stands there, what stands there instead, the property that notices, and in
# how many worlds; or, as a number, the one world of a rare turn of events: `simulate --seed N` replays it, and when the
# worlds are drawn in another way, `simulate --worlds 10000000 --property …` of a mutated build finds one like it.
MUTATIONS = [
    # renewal.md, "When"
    ("granted L", "renewed at a quarter of the lease", "renewal/schedule.cpp",
     "const auto wanted = std::max(scaled(lease, policy.fraction), policy.minInterval);",
     "const auto wanted = scaled(lease, policy.fraction / 2);", HAMMERED),
    ("granted L", "renewed late by the jitter", "renewal/schedule.cpp",
     "whole - scaled(whole, policy.jitter * chance)", "whole + scaled(whole, policy.jitter * chance)", SILENT),
    ("granted L", "min_interval reaches beyond two thirds of a lease", "renewal/schedule.cpp",
     "return std::min(wanted, scaled(lease, policy.latestShare));", "return wanted;", SILENT),
    ("started with a token of own lease", "renewed at half of what is left", "renewal/schedule.cpp",
     "return now + scaled(spread, chance);", "return now + std::max(spread, remains / 2);", SILENT),
    ("attempt k failed", "the last attempt is not brought forward to before the end", "renewal/schedule.cpp",
     "return now < last ? std::min(wanted, last) : now;", "return last < end ? wanted : now;", LOST),
    ("attempt k failed", "the next try is the old cadence's", "renewal/plan.cpp",
     "return beforeEnd(_now + pause, _now, end, _pace.guard);", "return _now + _lease.granted / 2;", LOST),
    ("attempt k failed", "pauses do not double", "renewal/schedule.cpp",
     "auto pause = doubling(policy.firstPause, streak, policy.longestPause);",
     "auto pause = doubling(policy.firstPause, 1, policy.longestPause);", HAMMERED),
    ("attempt k failed", "pauses are no shorter the nearer the end is", "renewal/schedule.cpp",
     "pause = std::min(pause, scaled(*remains, 1 / policy.pausesPerLife));", "pause = std::min(pause, *remains);",
     LOST),
    ("Retry-After", "obeyed beyond the end", "renewal/plan.cpp",
     "return beforeEnd(std::min(_retry.notBefore, endOfSilence()), _now, _lease.nextEnd(_now), _pace.guard);",
     "return _retry.notBefore;", LOST),
    ("Retry-After", "obeyed as long as it says where no end is known", "renewal/plan.cpp",
     "_retry.notBefore, _now + (_memory.dead() ? _policy.longestProbe : _policy.longestPause));",
     "_retry.notBefore, _now + _policy.longestLease);", LOST),
    ("Retry-After", "ignored", "renewal/plan.cpp",
     "plan.at = std::max({*plan.at, _now, patience(), _memory.started + _pace.gap});",
     "plan.at = std::max({*plan.at, _now, _memory.started + _pace.gap});", HAMMERED),
    ("no two requests closer than gap", "requests follow each other without a gap", "renewal/plan.cpp",
     "plan.at = std::max({*plan.at, _now, patience(), _memory.started + _pace.gap});",
     "plan.at = std::max({*plan.at, _now, patience()});", HAMMERED),
    ("no two requests closer than gap", "a candidate is asked about right after the token in use", "renewal/plan.cpp",
     "patience, memory.started + gap});", "patience});", HAMMERED),
    ("now >= E - guard", "given up at the first moment at which it may end", "renewal/plan.cpp",
     "if (_lease.mayLastBeyond(_now)) {", "if (false) {", LOST, MANY),
    ("now >= E - guard", "of several lost answers the first or the last brought the end", "renewal/plan.cpp",
     "(last - first) / _policy.looksAtEnd", "last - first", LOST, MANY),
    ("now >= E - guard", "a lost answer did nothing", "renewal/lease.cpp",
     "ifRenewedLatest = std::max(ifRenewedLatest, now + length);", "ifRenewedLatest = latest;", LOST, MANY),
    ("capped", "no confirmations", "renewal/plan.cpp",
     "if (!_lease.known() || confirm || _retry.atOnce) {", "if (!_lease.known()) {",
     SILENT),
    ("capped", "confirmed every few seconds", "renewal/plan.cpp",
     "const auto half = _now + (_lease.earliest - _now) / 2;",
     "const auto half = _now + std::min<Duration>(std::chrono::seconds(5), (_lease.earliest - _now) / 2);", HAMMERED),
    ("denied", "asked no more", "renewal/plan.cpp",
     "return {halfway(), Operation::renew};\n\t\tcase State::expired:",
     "return {_lease.latest, Operation::lookUp};\n\t\tcase State::expired:", LOST),
    ("refused before E", "asked no more", "renewal/schedule.cpp",
     "return std::max(doubling(first, streak, remains), scaled(failing, 1 / policy.refusalsPerOutage));",
     "return std::max(doubling(first, streak, remains), std::chrono::duration_cast<Duration>(std::chrono::hours(1)));",
     LOST),
    ("refused before E", "a refusal among other failures is the first one again", "renewal/schedule.cpp",
     "return std::max(doubling(first, streak, remains), scaled(failing, 1 / policy.refusalsPerOutage));",
     "return std::max(doubling(first, streak, remains), failing / 1'000'000);", HAMMERED),
    ("expired: a slow probe", "the dead are probed every five minutes for ever", "renewal/schedule.cpp",
     "return doubling(first, streak, policy.longestProbe);", "return doubling(first, 1, policy.longestProbe);",
     HAMMERED),
    ("expired: at once when the credential changes", "a new credential is looked at in an hour", "renewal/keeper.cpp",
     "_out.reset();\n\tadopt();\n\tplanAnew();",
     "_out.reset();\n\tadopt();\n\t_memory.retry.atOnce = false;\n\t"
     "_memory.retry.notBefore = now.boot + std::chrono::hours(1);\n\tplanAnew();",
     RECOVERS),
    ("limited uses: no request", "asked each half lease", "renewal/plan.cpp",
     "return _lease.latest;\n\t\t}\n\t\tif (why",
     "return why == Reason::limitedUses ? _now + std::chrono::seconds(1) : _lease.latest;\n\t\t}\n\t\tif (why",
     HAMMERED),
    ("limited uses: no request", "asked on after the last use", "renewal/answers.cpp",
     "_memory.lease.endAt(_memory.retry.asOf);", "", HAMMERED, 131659717535),
    ("limited uses: no request", "looked at within six hours", "renewal/plan.cpp",
     "if (!_lease.known() || limitedUses) {", "if (!_lease.known()) {", HAMMERED, MANY),
    ("no expiry: never", "asked each hour", "renewal/plan.cpp",
     "return {std::nullopt, Operation::lookUp};\n\t\tcase State::starting:",
     "return {_now + std::chrono::hours(1), Operation::lookUp};\n\t\tcase State::starting:", HAMMERED),
    ("useless look-ups: renew", "look-up and renewal take turns", "renewal/plan.cpp",
     "const bool renewsMostly = retry.useless >= policy.uselessLookUps;", "const bool renewsMostly = false;", LOST,
     MANY),
    ("useless look-ups: renew", "every other one is a look-up", "renewal/plan.cpp",
     "retry.streak % policy.renewalsPerLookUp != 0;", "retry.streak % 2 != 0;", LOST, 1067425017805),
    ("a new token is refused", "the first refusal is believed", "renewal/retry.cpp",
     "return refusals > policy.refusalsDoubted;", "return refusals > 0;", FORECAST),
    ("a new token is refused", "doubted without a pause", "renewal/schedule.cpp",
     "return doubling(policy.firstPause, retry.refusals, policy.longestPause);", "return Duration::zero();", FORECAST),
    ("a new token is refused", "asked about by look-ups that tell nothing", "renewal/retry.cpp",
     "useless = operation == Operation::lookUp ? 0 : useless;", "useless = 0;", LOST, 398515283108),
    ("a new token is refused", "doubted for ever", "renewal/retry.cpp",
     "return refusals > policy.refusalsDoubted;", "return false;", HAMMERED),
    ("a living old token is kept", "the new one takes its place at once", "renewal/keeper.cpp",
     "if (provenFirst || _memory.mayLive(now.boot)) {", "if (provenFirst) {", LOST),
    ("a living old token is kept", "and not renewed meanwhile", "renewal/keeper.cpp",
     "if (!_candidate || !_plan.at || now < *_plan.at) {", "if (true) {", LOST),
    ("a living old token is kept", "the new one is never adopted", "renewal/answers.cpp",
     "if (trouble == nullptr) {\n\t\treturn true;", "if (trouble == nullptr) {\n\t\treturn false;", RECOVERS),
    ("nothing asked for 6 h", "silent for half a lease", "renewal/plan.cpp",
     "if (const auto silence = endOfSilence(); *plan.at > silence) {", "if (const auto silence = Instant::max(); "
     "*plan.at > silence) {", SILENT),
    # renewal.md, "One attempt may take"
    ("one attempt may take", "all the time there is", "renewal/schedule.cpp",
     "return std::min(std::max({share, atLeast, known, pace.gap}), policy.requestTimeout);",
     "return policy.requestTimeout;", LOST),
    ("one attempt may take", "less than a slow server needs", "renewal/schedule.cpp",
     "std::max({share, atLeast, known, pace.gap})", "std::max({share / 8, atLeast / 8, known / 8, pace.gap / 8})",
     LOST),
    ("one attempt may take", "the first look-up the whole request timeout", "renewal/schedule.cpp",
     "return std::min(std::max({Duration(policy.firstBudget), failing, 2 * latency}), policy.requestTimeout);",
     "return std::max(policy.requestTimeout, failing + latency);", LOST),
    ("one attempt may take", "one about a candidate the life of the token in use", "renewal/plan.cpp",
     "return std::min(longest, std::max({*nextOfCurrent - now, gap, 2 * memory.latency.recent}));",
     "return policy.requestTimeout;", LOST, MANY),
    # renewal.md, "What an answer means"
    ("extended", "the end is told as if the answer had taken no time and no rounding", "renewal/lease.cpp",
     "auto from = span.sent.boot + ttl - rounding;",
     "auto from = span.now.boot + ttl + 4 * rounding;", FORECAST),
    ("capped", "a warning of the cap is overlooked", "renewal/lease.cpp",
     "if (capWarning) {", "if (false) {", FORECAST),
    ("capped", "the max TTL of the first look-up is not used", "renewal/lease.cpp",
     "if (facts.explicitMaxTtl <= Duration::zero() ||", "if (true ||", FORECAST),
    ("capped", "a slow answer's forecast is taken for a raised cap", "renewal/lease.cpp",
     "earliest > *maxTtlEnd + 2 * policy.forecastSlack + maxTtlWithin", "earliest > *maxTtlEnd", FORECAST),
    ("capped", "told at each grant", "renewal/announcements.cpp",
     "_told.bound = verdict.reason;", "_told.bound = Reason::none;", FORECAST),
    ("capped", "past the max TTL, and not asked what is left", "renewal/answers.cpp",
     "_memory.lease.reachMaxTtl();\n\tauto verdict = fail(span, Failing::passing, trouble);",
     "auto verdict = fail(span, Failing::passing, trouble);", FORECAST, MANY),
    ("not renewable", "and yet renewed near its end", "renewal/plan.cpp",
     "!isOwedTooLate()) || _memory.unrenewable != Reason::none) {", "!isOwedTooLate())) {",
     HAMMERED, 868091142881),
    ("not renewable, told by a renewal", "renewed again", "renewal/answers.cpp",
     "if (grant.renewable) {", "if (true) {", HAMMERED),
    ("no expiry", "one refusal is death", "renewal/answers.cpp",
     "if (lease.end == Lease::End::never) {\n\t\tlease = {};", "if (false) {\n\t\tlease = {};", FORECAST, 821890328491),
    ("no expiry", "invalid lease ID overrules a look-up that named an end", "renewal/answers.cpp",
     "return _memory.lease.known() ? passing(span, operation, trouble) : lastsForEver();", "return lastsForEver();",
     LOST),
    ("denied", "a token denied after the end is as good as dead", "renewal/lease.cpp",
     "if (now < ifRenewedLatest) {", "if (now < earliest) {", LOST, MANY),
    ("refused", "the first refusal is believed to be death", "renewal/answers.cpp",
     "if (!_memory.dead() && believed && (past || !lease.known())) {", "if (!_memory.dead()) {", FORECAST),
    ("gone", "taken for ever", "renewal/answers.cpp",
     "const bool past = lease.known() && span.now.boot >= lease.earliest;", "const bool past = lease.known();",
     FORECAST),
    ("wrapped", "not looked up", "renewal/answers.cpp",
     "_memory.owed = Owed::lease;\n\t_memory.retry.useless = 0;", "_memory.retry.useless = 0;", LOST),
    ("throttled, server away, configuration, transport", "are verdicts on the token", "renewal/answers.cpp",
     "return passing(span, operation, trouble);\n\tcase Trouble::Kind::cancelled:",
     "return refused(span, operation, trouble);\n\tcase Trouble::Kind::cancelled:", LOST),
    ("malformed", "a lease beyond ten years is believed", "renewal/answers.cpp",
     "return impossible ? &impossibleLease() : std::get_if<Trouble>(&answer);",
     "return std::get_if<Trouble>(&answer);", LOST),
    ("ratchet", "after a lost answer the server's length is trusted", "renewal/lease.cpp",
     "return inDoubt || fellShort(policy) ?", "return fellShort(policy) ?", LOST, 647502713262),
    ("ratchet", "the full lease is not asked for", "renewal/lease.cpp",
     "return inDoubt || fellShort(policy) ?", "return inDoubt ?", RECOVERS),
    ("one state event a change", "each answer is an event of its state, too", "renewal/announcements.cpp",
     "if (standing.state != _told.state) {\n\t\treturn true;", "if (true) {\n\t\treturn true;", QUIET),
    ("notes", "the log takes every line of every failure", "renewal/announcements.cpp",
     "if (_told.notesUnspent <= (level == Level::error ? -policy.deathsAtOnce : 0)) {", "if (false) {", QUIET),
    # renewal.md, "One invariant"
    ("armed", "a failed run is not planned anew", "renewal/keeper.cpp",
     "interrupted(now);\n\tplanAnew();", "_out.reset();\n\t_plan.at.reset();", SILENT),
    ("armed", "a failed run's attempt is awaited for ever", "renewal/keeper.cpp",
     "interrupted(now);\n\tplanAnew();", "planAnew();", SILENT),
    ("armed", "a resumed life has no plan", "renewal/keeper.cpp",
     "_absent = false;\n\t_memory.told.state = State::stopped;\n\tplanAnew();",
     "_absent = false;\n\t_memory.told.state = State::stopped;", SILENT),
    ("armed", "a renewal that was interrupted did nothing", "renewal/keeper.cpp",
     "static_cast<void>(conclude(span, out.operation, none));",
     "static_cast<void>(conclude(span, Operation::lookUp, none));", LOST, MANY),
    ("stop", "stop does not stop", "renewal/keeper.cpp",
     "_candidate.reset();\n\t_running = false;", "_candidate.reset();", STOPS),
    # places.md
    ("1 a bad answer closes its connection", "and marks nothing", "transport/places.cpp",
     "endpoint->badReplyAt = now;", "static_cast<void>(now);", LOST),
    ("2 the next attempt goes another way", "marks do not count", "transport/places.cpp",
     "return a.mark < b.mark; // `never` is the smallest", "return false;", LOST),
    ("2 the next attempt goes another way", "the latest mark first", "transport/places.cpp",
     "return a.mark < b.mark; // `never` is the smallest",
     "return a.mark == never || (b.mark != never && a.mark > b.mark);", LOST),
    ("3 before the request is on the wire", "an attempt has one endpoint", "transport/places.cpp",
     "if (candidates.empty()) {\n\t\treturn GiveUp{};",
     "if (candidates.empty() || !attempt.dialled.empty()) {\n\t\treturn GiveUp{};", LOST, MANY),
    ("3 each with its share of the time", "the first has all of it", "transport/places.cpp",
     "? attempt.deadline : now + left / 2;", "? attempt.deadline : now + left;", LOST, MANY),
    ("4 a kept connection is trusted for a while", "as long as the attempt", "transport/places.cpp",
     "return Reuse{candidate.id(), std::min(usual, most)};",
     "return Reuse{candidate.id(), attempt.deadline - now};", LOST, MANY),
    ("5 names are asked again after trouble", "never", "transport/places.cpp",
     "if (age >= _options.resolvedFor) {\n\t\treturn true;", "if (true) {\n\t\treturn false;", LOST),
    ("5 endpoints are remembered", "forgotten when the resolver fails", "transport/places.cpp",
     "_places[place].name = Name::failing;", "_places[place].name = Name::failing;\n\t_places[place].endpoints.clear();",
     LOST),
    ("5 endpoints are remembered", "not used while the resolver is slow", "transport/places.cpp",
     "return Resolve{place, _places[place].name == Name::slow ? now : now + rest / _options.resolverShare};",
     "return Resolve{place, attempt.deadline};", LOST),
]

# Rules of other rooms: the rule, what breaks it, the file, what stands there, what stands there instead, the test
# program that notices, and its test.
ELSEWHERE = [
    # renewal.md, "Further rules"
    ("a 403 in words that are not the server's", "is a verdict on the token", "wire/verdicts.cpp",
     "{403, 403, contains, \"\", Kind::malformed, Reason::malformed,",
     "{403, 403, contains, \"\", Kind::refused, Reason::refused,", "tests/unit/wire/wire_test", "*"),
    ("texts that are visibly no token", "are sent", "credential/token_text.cpp",
     "if (text.starts_with('{') || text.starts_with('[')) {", "if (false) {",
     "tests/unit/credential/credential_test", "TokenText.*"),
    ("not renewable", "the flag of a look-up is not believed", "renewal/answers.cpp",
     "else if (!facts.renewable) {", "else if (false) {", "tests/unit/renewal/renewal_test", "KeeperStart.*"),
    ("a new token is a candidate", "and starves where renewals leave no room", "renewal/keeper.cpp",
     "due <= now && (noRoom || isTurn);", "due <= now && isTurn;",
     "tests/unit/renewal/renewal_test", "KeeperCandidate.IsAskedAboutThough*"),
    ("start: fail_fast", "an attempt that was cut short settles it", "renewal/keeper.cpp",
     "return retry.failures > 0 && !cutShort && !asksOtherwise;", "return retry.failures > 0 && !asksOtherwise;",
     "tests/unit/renewal/renewal_test", "KeeperStart.*"),
    ("guarantee", "the guard is a gap, however slow the server is", "renewal/schedule.cpp",
     "std::max<Duration>(gap, std::min<Duration>(wanted, policy.longestGuard))",
     "gap", "tests/unit/renewal/renewal_test", "KeeperOutage.LastChance*"),
    ("Retry-After", "our pause is waited for as well", "renewal/plan.cpp",
     "pause = _retry.notBefore > _now ? Duration::zero() : pause;",
     "", "tests/unit/renewal/renewal_test", "KeeperOutage.RetryAfterTakes*"),
    ("nothing asked for 6 h", "a fleet asks as one", "renewal/plan.cpp",
     "1 - _policy.silenceSpread * _chance",
     "1", "tests/unit/renewal/renewal_test", "KeeperSilence.IsNotBrokenByAFleet*"),
    ("started with a token of own lease", "a fleet renews as one", "renewal/schedule.cpp",
     "return now + scaled(spread, chance);",
     "return now;", "tests/unit/renewal/renewal_test", "KeeperStart.HalfSpentTokensOfAFleet*"),
    ("capped", "a raised cap is overlooked in a wrapped grant", "renewal/lease.cpp",
     "followMaxTtl(false, policy);\n}",
     "}", "tests/unit/renewal/renewal_test", "KeeperWall.RaisedCapIsNoticedIn*"),
    ("capped", "where no answer tells the end, asked about each gap", "renewal/plan.cpp",
     "if (!_lease.known() || confirm || _retry.atOnce) {",
     "if (confirm || _retry.atOnce) {", "tests/unit/renewal/renewal_test", "KeeperWall.IsAskedAboutSparsely*"),
    ("extended", "a look-up after a lost answer is cut to the end before", "renewal/lease.cpp",
     "if (lostNothing && from",
     "if (from", "tests/unit/renewal/renewal_test", "KeeperAnswers.LookUpAfterALost*"),
    ("denied", "asked each gap where the end is vague", "renewal/plan.cpp",
     "return retryNearExpiry().value_or(beforeEnd(half, _now, _lease.earliest, _pace.guard));",
     "return beforeEnd(half, _now, _lease.earliest, _pace.guard);", "tests/unit/renewal/renewal_test", "KeeperOutage.EndThatIsVague*"),
    ("not renewable", "a denied look-up past the end is repeated each gap", "renewal/answers.cpp",
     "if (over) {\n\t\tlease.outlived",
     "if (false) {\n\t\tlease.outlived", "tests/unit/renewal/renewal_test", "KeeperDeathOfTheUnrenewable.IsNotHurried*"),
    ("useless look-ups: renew", "not at once for a candidate", "renewal/plan.cpp",
     "(retry.atOnce ? Duration::zero() : pause)",
     "pause", "tests/unit/renewal/renewal_test", "KeeperCandidate.WhoseLookUps*"),
    ("a refused look-up at the start", "settles it, without a renewal", "renewal/retry.cpp",
     "renewNext = operation == Operation::lookUp && refusals == 1;",
     "renewNext = false;", "tests/unit/renewal/renewal_test", "KeeperStart.*"),
    ("a source that gives no token", "takes the old one out of use", "renewal/keeper.cpp",
     "if (haveToken) {",
     "if (false) {", "tests/unit/renewal/renewal_test", "KeeperCredential.ThatIsUnreadableKeeps*"),
    ("a living old token is kept", "a candidate's request may take its last chance", "renewal/plan.cpp",
     "if (delays && memory.lease.known()", "if (false && memory.lease.known()",
     "tests/unit/renewal/renewal_test", "KeeperLastChance.IsNotTakenBy*"),
    ("a new token is a candidate", "and waits until a vague end is over", "renewal/keeper.cpp",
     "due <= now && (noRoom || isTurn);", "due <= now && noRoom;",
     "tests/unit/renewal/renewal_test", "KeeperLastChance.IsSharedInTurns*"),
    ("a living old token is kept", "and shares the last seconds of a rounded end", "renewal/keeper.cpp",
     "now > lease.earliest + rounding &&", "now >= lease.earliest &&",
     "tests/unit/renewal/renewal_test", "KeeperLastChance.IsNotShared*"),
    ("refused before E", "one last request, a guard before the end", "renewal/plan.cpp",
     "_retry.failingFor(_now)), remains / 2)", "_retry.failingFor(_now)), remains)",
     "tests/unit/renewal/renewal_test", "KeeperLastChance.OfARefused*"),
    ("wrapped", "looked up until the end, however often that fails", "renewal/plan.cpp",
     "return _memory.owed == Owed::lease && !_retry.atOnce", "return false && !_retry.atOnce",
     "tests/unit/renewal/renewal_test", "KeeperLastChance.IsNotSpentOn*"),
    ("wrapped", "ends when the rounding of a look-up before may end", "renewal/lease.cpp",
     "earliest = ifRenewedEarliest;\n\tlatest = ifRenewedLatest;\n\truleOut",
     "earliest = latest = ifRenewedLatest;\n\truleOut",
     "tests/unit/renewal/renewal_test", "KeeperLastChance.OfAWrapped*"),
    ("useless look-ups: renew", "look-ups for ever", "renewal/retry.cpp",
     "useless >= policy.uselessLookUps;\n\tatOnce", "useless > 1'000'000;\n\tatOnce",
     "tests/unit/renewal/renewal_test", "KeeperAnswers.WrappedGrantWhoseLookUps*"),
    ("refused", "an unclear 403 is a refusal", "renewal/answers.cpp",
     "if (operation == Operation::renew && kind != Failing::refused && hopeful && _memory.accepted) {",
     "if (false) {", "tests/unit/renewal/renewal_test", "KeeperAnswers.Unknown*"),
    ("refused", "any refusal ends all hope", "renewal/answers.cpp",
     "if (lease.overAt(span.sent.boot) && trouble.kind != Trouble::Kind::unclearRefusal) {",
     "if (lease.known() && trouble.kind != Trouble::Kind::unclearRefusal) {",
     "tests/unit/renewal/renewal_test", "KeeperOutage.HopeOutlastsARefusal*"),
    ("refused", "an unclear 403 past the end ends all hope", "renewal/answers.cpp",
     " && trouble.kind != Trouble::Kind::unclearRefusal) {\n\t\tlease.ruleOut", ") {\n\t\tlease.ruleOut",
     "tests/unit/renewal/renewal_test", "KeeperHope.OutlastsAnUnclear*"),
    ("now >= E - guard", "of a request that was sent twice only the second counts", "renewal/answers.cpp",
     "(unknown && !trouble.unsent) || trouble.sentBefore;", "unknown && !trouble.unsent;",
     "tests/unit/renewal/renewal_test", "KeeperHope.IsLeftByARequest*"),
    ("now >= E - guard", "no reply tells of the request before it", "transport/client.cpp",
     "reply->sentBefore = sentBefore;", "static_cast<void>(sentBefore);",
     "tests/faults/exchange_test", "Exchange.AServerThatClosesAKept*"),
    ("now >= E - guard", "no trouble tells of the request before it", "wire/classify.cpp",
     "trouble->sentBefore = reply.sentBefore;", "", "tests/unit/wire/wire_test", "Replies.TellOf*"),
    ("capped", "a lost renewal reaches beyond a max TTL that was shown", "renewal/lease.cpp",
     "if (maxTtlEnd && now < *maxTtlEnd) {", "if (false) {",
     "tests/unit/renewal/renewal_test", "KeeperHope.DoesNotReach*"),
    ("expired: a slow probe", "a useless look-up and its renewal are two", "renewal/answers.cpp",
     "if (kind == Failing::dead && !retry.renewNext) {", "if (kind == Failing::dead) {",
     "tests/unit/renewal/renewal_test", "KeeperHope.ProbeOf*"),
    ("cancelled by stop", "is a failure", "renewal/answers.cpp",
     "_memory.retry.atOnce = true;\n\t\treturn {};\n\t}\n\treturn {}; // unreachable",
     "return passing(span, operation, trouble);\n\t}\n\treturn {}; // unreachable", "tests/unit/renewal/renewal_test", "KeeperAnswers.StopIsNoFailure"),
    # places.md
    ("3 endpoints that do not connect race", "one after the other", "transport/places.cpp",
     "(candidate.mark == never || candidate.mark == candidate.endpoint->dialFailedAt);", "candidate.mark == never;",
     "tests/unit/transport/transport_test", "PlacesTest.EndpointsThatDidNot*"),
    ("3 endpoints that do not connect race", "and so do those that give bad replies", "transport/places.cpp",
     "(candidate.mark == never || candidate.mark == candidate.endpoint->dialFailedAt);",
     "(candidate.mark == never || candidate.endpoint->dialFailedAt != never);",
     "tests/unit/transport/transport_test", "PlacesTest.AnEndpointThatConnectsAgain*"),
    ("4 a kept connection is trusted for a while", "for less than an answer takes", "transport/places.cpp",
     "const auto most = latency < left / 2 ? ", "const auto most = false ? ",
     "tests/unit/transport/transport_test", "PlacesTest.TheFirstByte*"),
    ("6 limits hold by place", "no job goes ahead of the limit", "runtime/agenda.cpp",
     "return since + std::max(eighth, Duration::zero());", "return Instant::max();",
     "tests/unit/runtime/runtime_test", "AgendaTest.*"),
    ("6 limits hold by place", "a dead server takes all slots", "runtime/place_limits.cpp",
     "if (leastInFlight(heap + 1) > _free) {", "if (_free == 0) {",
     "tests/unit/runtime/runtime_test", "AgendaTest.*"),
    ("6 saying that a token has died needs no slot", "it does", "runtime/place_limits.cpp",
     "if (_keptFree == 0) {", "if (true) {", "tests/unit/runtime/runtime_test", "AgendaTest.*"),
    ("7 time closes what is idle", "the next use does", "transport/pool.cpp",
     "_scheduler->arm(_looks, _clock->boot() + lookInterval, Instant::max());", "static_cast<void>(_clock);",
     "tests/faults/descriptors_test", "Descriptors.*"),
    ("7 out of descriptors the oldest idle connections go", "they may hold all of them", "transport/pool.cpp",
     "if (_kept.size() >= _most) {", "if (false) {", "tests/faults/descriptors_test", "Descriptors.AtMost*"),
    ("8 nothing that may block", "names that hang may take all helpers", "runtime/helpers.cpp",
     "now.slow < std::max(options.mostEver / options.slowShare, 1U);", "true;",
     "tests/unit/runtime/runtime_test", "Helpers.*"),
    ("8 nothing that may block", "a file that hangs holds up the others", "credential/reader_table.cpp",
     "if (_closed || isNoneDue || _rounds > _stuck ||", "if (_closed || isNoneDue || _rounds > 0 ||", "tests/unit/credential/credential_test", "HangingReaderTest.*"),
    ("8 a file is noticed within 30 s", "in an hour", "credential/reader_table.cpp",
     "roundedUp(now + _options.every - spread(), 1s);", "roundedUp(now + std::chrono::hours(1), 1s);",
     "tests/unit/credential/credential_test", "ReaderTest.AChange*"),
    ("9 the token goes to the servers it was meant for", "and to a sign-on page", "transport/redirect.cpp",
     "if (target != path && target != from.prefix + std::string(path)) {", "if (false) {",
     "tests/unit/transport/transport_test", "Redirect.*"),
    ("9 the token goes to the servers it was meant for", "by a 302, too", "transport/redirect.cpp",
     "return status == 307 || status == 308;", "return status == 307 || status == 308 || status == 302;",
     "tests/unit/transport/transport_test", "Redirect.*"),
]


def path_of(file):
    return pathlib.Path(os.path.normpath(SOURCES / file))


def mutated(file, old, new):
    source = path_of(file).read_text()
    count = source.count(old)
    if count != 1:
        raise RuntimeError(f"{file} holds the text {count} times, not once: {old!r}; mend the list in {__file__}")
    return source.replace(old, new)


def compile_command(build, file, target):
    entries = json.loads((build / "compile_commands.json").read_text())
    found = [entry for entry in entries if entry["file"] == str(path_of(file))]
    if not found:
        raise RuntimeError(f"{build} does not build {path_of(file)}")
    # Sources that the simulator compiles itself are not in a room's library.
    own = [entry for entry in found if str(pathlib.Path(target).parent) in entry["command"]]
    return (own or found)[0]["command"], found[0]["directory"]


def shell(command, directory):
    done = subprocess.run(command, shell=True, cwd=directory, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(done.stdout + done.stderr)
    return done.stdout


def program_with(build, file, text, target, folder):
    """The program, linked with a mutated copy of `file`: the linker takes what it defines before it looks into the room."""
    copy = folder / pathlib.Path(file).name
    copy.write_text(text)
    compiled = folder / "mutated.o"
    command, directory = compile_command(build, file, target)
    original_object = command.split(" -o ")[1].split(" ")[0]
    command = command.replace(original_object, str(compiled)).replace(str(path_of(file)), str(copy))
    shell(command, directory)
    link = shell(f"ninja -t commands {target}", build).splitlines()[-1]
    program = folder / "program"
    link = link.replace(f" -o {target} ", f" {compiled} -o {program} ")
    shell(link, build)
    return program


def judged_by_worlds(prop, worlds=WORLDS):
    """How the simulator is asked, and whether it noticed."""
    if isinstance(worlds, int):
        options = ["--seed", str(worlds), "--property", prop]
        return "tests/simulation/simulate", options, lambda run: run.returncode == 1 and f"{prop}: kept" not in run.stdout
    options = ["--worlds", worlds, "--seed", "1", "--property", prop, "--first", "--brief"]
    return "tests/simulation/simulate", options, lambda run: run.returncode == 1 and f"{prop}: BROKEN" in run.stdout


def judged_by_logins(prop):
    options = ["--worlds", "60000", "--seed", "1", "--property", prop, "--first", "--brief"]
    return "tests/simulation/simulate_logins", options, lambda run: run.returncode == 1 and f"{prop}: BROKEN" in run.stdout


def judged_by_fleets(prop):
    options = ["--worlds", "20000", "--seed", "1", "--property", prop, "--first", "--brief"]
    return "tests/simulation/simulate_fleets", options, lambda run: run.returncode == 1 and f"{prop}: BROKEN" in run.stdout


def judged_by_test(target, tests):
    options = ["--gtest_brief=1", "--gtest_fail_fast", f"--gtest_filter={tests}"]
    return target, options, lambda run: run.returncode != 0


def run_in_group(command, limit_s):
    """Runs a program, and kills it with the workers that it forked when the limit is over."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          start_new_session=True) as process:
        try:
            told, complained = process.communicate(timeout=limit_s)
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            raise
    return subprocess.CompletedProcess(command, process.returncode, told, complained)


def survives(build, change, judge):
    """Returns why the mutation went unnoticed; None: it was caught."""
    file, old, new = change
    target, options, noticed = judge
    with tempfile.TemporaryDirectory(prefix="mutation-") as folder:
        program = program_with(build, file, mutated(file, old, new), target, pathlib.Path(folder))
        run = run_in_group([program, *options], 300)
        return None if noticed(run) else run.stdout[-2000:] + run.stderr


def attempt(build, change, judge):
    try:
        return survives(build, change, judge)
    except (RuntimeError, subprocess.TimeoutExpired) as error:
        return str(error)


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    build = pathlib.Path(sys.argv[1]).resolve()
    everything = [(*m[:2], m[2:5], judged_by_worlds(*m[5:]), m[5]) for m in MUTATIONS] + \
                 [(*m[:2], m[2:5], judged_by_test(*m[5:]), m[5].split("/")[-1]) for m in ELSEWHERE] + \
                 [(*m[:2], m[2:5], judged_by_logins(m[5]), m[5]) for m in login_mutations.BY_WORLDS] + \
                 [(*m[:2], m[2:5], judged_by_test("tests/unit/renewal/login_test", m[5]), "login_test")
                  for m in login_mutations.BY_TESTS] + \
                 [(*m[:2], m[2:5], judged_by_fleets(m[5]), m[5]) for m in fleet_mutations.BY_WORLDS] + \
                 [(*m[:2], m[2:5], judged_by_test("tests/unit/host/host_fleet_plan_test", m[5]), "host_fleet_plan_test")
                  for m in fleet_mutations.BY_TESTS]
    wanted = [m for m in everything if not sys.argv[2:] or set(m[:2]) & set(sys.argv[2:])]
    if not wanted:
        sys.exit(f"no such mutation: {' '.join(sys.argv[2:])}")
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(max_workers=min(2, os.cpu_count() or 1)) as pool:
        results = pool.map(lambda m: attempt(build, m[2], m[3]), wanted)
        for (rule, what, _, _, judge), why in zip(wanted, results):
            print(f"{'noticed' if why is None else 'MISSED '}  {judge:16} {rule}: {what}", flush=True)
            if why is not None:
                failed += 1
                print(why)
    print(f"{len(wanted) - failed} of {len(wanted)} mutations noticed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
