#include "diagnosis_login.h"

#include "renewal/format.h"
#include "transport/blocking.h"
#include "wire/logins.h"
#include "wire/token_maker.h"
#include "wire/wire.h"

#include <algorithm>
#include <future>
#include <memory>
#include <string>
#include <type_traits>

namespace issuer::vault {

using credential::MaterialPart;
using credential::Secret;
using credential::TextKind;
using renewal::LoginMethod;
using renewal::LoginTrouble;
using wire::MountKind;
namespace format = renewal::format;
using enum Finding::Level;

namespace {

const char* nameOf(MountKind kind)
{
	switch (kind) {
	case MountKind::none:
		return "none";
	case MountKind::appRole:
		return "approle";
	case MountKind::jwtOrKubernetes:
		return "jwt or kubernetes";
	case MountKind::certificate:
		return "cert";
	case MountKind::userpass:
		return "userpass";
	case MountKind::ldap:
		return "ldap";
	case MountKind::other:
		return "of another kind";
	}
	return ""; // unreachable: the switch names every kind
}

MountKind kindOf(LoginMethod method)
{
	switch (method) {
	case LoginMethod::appRole:
		return MountKind::appRole;
	case LoginMethod::kubernetes:
	case LoginMethod::jwt:
		return MountKind::jwtOrKubernetes;
	case LoginMethod::certificate:
		return MountKind::certificate;
	case LoginMethod::userpass:
		return MountKind::userpass;
	case LoginMethod::ldap:
		return MountKind::ldap;
	case LoginMethod::wrappedToken:
		break;
	}
	return MountKind::other;
}

/// Time before an end from which on it is warned of, and uses of a secret_id.
constexpr auto warnBefore = std::chrono::days(1);
constexpr std::int64_t fewUses = 2;

/// Returns the result of a look at a file system, or that it had none in time.
template <class Look>
std::invoke_result_t<Look> inTime(credential::Reader& reader, std::chrono::steady_clock::time_point deadline, Look look)
{
	const auto promise = std::make_shared<std::promise<std::invoke_result_t<Look>>>();
	auto result = promise->get_future();
	if (!reader.elsewhere([promise, look] { promise->set_value(look()); }) ||
		result.wait_until(deadline) != std::future_status::ready) {
		return failure("the file system of the sink does not answer");
	}
	return result.get();
}

} // namespace

void LoginDiagnosis::look(std::string_view vaultNamespace)
{
	for (const auto* part : {_login.roleId(), _login.secret()}) {
		if (part == nullptr) {
			continue;
		}
		const auto text = part->readNow(_reader, _deadline);
		if (!text) {
			tell(problem, "material", text.error().text, "put what the login needs there");
			_unusable = true;
			continue;
		}
		tell(ok, "material", part->describe() + " holds a " + std::string(credential::nameOf(part->origin().text)));
		judgeEnd(*part, *text);
	}
	const auto method = _login.config().policy.method;
	if (method != LoginMethod::wrappedToken && method != LoginMethod::certificate) {
		probe(); // over a connection with a client certificate an empty login would be one
	}
	judgeNextLogin();
	if (_login.config().sink) {
		judgeSink(vaultNamespace);
	}
}

/// Tells until when a login can succeed, as far as that can be known without one.
void LoginDiagnosis::judgeNextLogin()
{
	const auto& config = _login.config();
	const auto now = _clock.now().wall;
	const auto known = _login.figures(_clock.now()); // of a run before
	auto ends = _ends;
	if (known.materialEnds && (!ends || *known.materialEnds < *ends)) {
		ends = known.materialEnds;
	}
	if (_unusable) {
		tell(problem, "next login", "would fail: what it is made of cannot be used", "see the findings above");
	}
	else if (known.usesLeft && *known.usesLeft <= 0) {
		tell(problem, "next login", "would fail: no use of the secret_id is left", "put another secret_id in place");
	}
	else if (ends) {
		tell(*ends <= now + warnBefore ? warn : ok, "next login",
			"can be made until " + format::until(*ends, now) + ", with what is in place now",
			*ends <= now + warnBefore ? "have it replaced before then" : "");
	}
	else if (config.policy.method == LoginMethod::appRole && config.policy.hasSecretId) {
		tell(note, "next login", "the end and the uses of the secret_id are not known without a login",
			"doctor --login asks for them");
	}
	else {
		tell(ok, "next login", "what it is made of has no end of its own");
	}
}

/// Tells whether the sink can be written, and whether a restart can begin with its token.
void LoginDiagnosis::judgeSink(std::string_view vaultNamespace)
{
	const auto& sink = *_login.config().sink;
	if (auto fits = inTime(_reader, _deadline, [sink] { return credential::checkSink(sink); }); !fits) {
		tell(problem, "sink", fits.error().text, "change auth.sink, or the directory");
		return;
	}
	const auto token = _reader.readOnce(sink.file, _deadline);
	if (!token) {
		tell(note, "sink", "sink file " + sink.file + " can be written, and holds no token: a start needs a login");
		return;
	}
	if (auto mode = inTime(_reader, _deadline, [sink] { return credential::modeOf(sink); });
		mode && *mode != sink.mode) {
		tell(warn, "sink", "sink file " + sink.file + " has another mode than auth.sink.mode",
			"it gets that mode when it is written next");
	}
	const auto request = wire::lookUpSelf(token->view(), vaultNamespace);
	auto reply = transport::blockingly(_exchange.carry(request, _deadline));
	const auto answer =
		reply ? wire::classify(renewal::Operation::lookUp, *reply, token->view()) : wire::classify(reply.error());
	const auto* const trouble = std::get_if<renewal::Trouble>(&answer);
	const auto foreign = trouble != nullptr
							 ? std::string()
							 : wire::differenceOf(wire::makerIn(*reply), _login.mount(), _login.config().identity);
	if (!foreign.empty()) {
		tell(warn, "sink", "sink file " + sink.file + " holds a token that a start does not use: " + foreign,
			"the next login replaces it; let no other program write there");
	}
	else if (trouble == nullptr || trouble->kind == renewal::Trouble::Kind::denied) {
		tell(ok, "sink", "sink file " + sink.file + " holds a living token: a start needs no login");
	}
	else {
		tell(note, "sink", "sink file " + sink.file + " holds a token that a start cannot use: " + trouble->detail);
	}
}

/// Tells the uses and the end of the secret_id, if the token of a login may ask for them.
void LoginDiagnosis::judgeSecretId(const Secret& token, const std::string& role, const Secret& secretId)
{
	const auto& config = _login.config();
	if (config.policy.method != LoginMethod::appRole || secretId.empty() || role.empty()) {
		return;
	}
	const auto request = wire::lookUpSecretId(_login.mount(), token.view(), role, secretId.view());
	auto reply = transport::blockingly(_exchange.carry(request.http, _deadline));
	const auto meaning =
		reply ? wire::classify(request, *reply) : wire::LoginReply{wire::classifyLogin(reply.error()), {}};
	const auto* const facts = std::get_if<renewal::SecretIdFacts>(&meaning.answer);
	const auto now = _clock.now().wall;
	if (facts == nullptr) {
		tell(note, "secret_id", "its uses and its end are not told",
			"give the role's tokens a policy that may update " + config.mount + "/role/" + role + "/secret-id/lookup");
		return;
	}
	const auto uses = facts->gone ? std::optional<std::int64_t>(0) : facts->usesLeft;
	const auto text =
		(uses ? std::to_string(*uses) + " of its uses are left" : std::string("its uses are not limited")) +
		(facts->ends ? ", and it is good until " + format::until(*facts->ends, now) : ", and it has no end");
	const bool isShort = (uses && *uses <= fewUses) || (facts->ends && *facts->ends <= now + warnBefore);
	tell(uses && *uses == 0 ? problem
		 : isShort          ? warn
							: ok,
		"secret_id", text, isShort ? "put another one in place" : "");
}

void LoginDiagnosis::judgeEnd(const MaterialPart& part, const Secret& text)
{
	const auto kind = part.origin().text;
	const auto now = _clock.now().wall;
	const auto ends = credential::endOf(kind, text.view());
	const auto* const topic = kind == TextKind::jwt ? "jwt" : "cert";
	if (!ends) {
		return;
	}
	_ends = std::min(_ends.value_or(*ends), *ends);
	if (*ends <= now) {
		_unusable = true;
		tell(problem, topic, part.describe() + " has expired " + format::lifeInWords(now - *ends) + " ago",
			"look at what refreshes this file");
	}
	else {
		tell(ok, topic, part.describe() + " is good until " + format::until(*ends, now));
	}
}

void LoginDiagnosis::probe()
{
	const auto& config = _login.config();
	const auto request = wire::emptyLogin(_login.mount());
	auto reply = transport::blockingly(_exchange.carry(request.http, _deadline));
	if (!reply) {
		tell(problem, "address", reply.error().text, "check the address, and whether the server runs");
		return;
	}
	const auto place = config.mount + (config.vaultNamespace.empty() ? "" : " in namespace " + config.vaultNamespace);
	const auto found = wire::classifyProbe(*reply);
	if (const auto* trouble = std::get_if<LoginTrouble>(&found)) {
		tell(problem, "mount", trouble->detail, "ask again when the server is well");
		return;
	}
	const auto kind = std::get<MountKind>(found);
	if (kind == kindOf(config.policy.method)) {
		tell(ok, "mount", place + " is there");
	}
	else if (kind == MountKind::none) {
		tell(problem, "mount", "no auth method at " + place, "check auth.mount and auth.namespace");
	}
	else {
		tell(problem, "mount", place + " is there, but answers as " + nameOf(kind), "check auth.method and auth.mount");
	}
}

void LoginDiagnosis::logIn(std::string_view vaultNamespace)
{
	const auto& config = _login.config();
	Secret identity;
	Secret secret;
	for (auto [part, text] : {std::pair(_login.roleId(), &identity), std::pair(_login.secret(), &secret)}) {
		if (part == nullptr) {
			continue;
		}
		auto read = part->readNow(_reader, _deadline);
		if (!read) {
			tell(problem, "login", read.error().text, "put what the login needs there");
			return;
		}
		*text = std::move(*read);
	}
	const bool byCertificate = config.policy.method == LoginMethod::certificate;
	const auto request =
		wire::logIn(_login.mount(), {_login.roleId() != nullptr ? identity.view() : std::string_view(config.identity),
										byCertificate ? std::string_view() : secret.view()});
	const auto asked = _clock.boot();
	auto reply = transport::blockingly(_exchange.carry(request.http, _deadline));
	auto meaning = reply ? wire::classify(request, *reply) : wire::LoginReply{wire::classifyLogin(reply.error()), {}};
	const auto* const facts = std::get_if<renewal::LoggedIn>(&meaning.answer);
	if (facts == nullptr) {
		const auto* const trouble = std::get_if<LoginTrouble>(&meaning.answer);
		tell(problem, "login", trouble != nullptr ? trouble->detail : "the login brought no token",
			"each try counts towards a lockout: mend it before the next one");
		return;
	}
	const auto waited = std::chrono::ceil<std::chrono::milliseconds>(_clock.boot() - asked);
	tell(ok, "login",
		"works (" + std::to_string(waited.count()) + " ms): lease " + format::lifeInWords(facts->lease) +
			(facts->cappedAtBirth ? ", capped from its birth" : ""));
	const auto lookUp = wire::lookUpSelf(meaning.secret.view(), vaultNamespace);
	auto proof = transport::blockingly(_exchange.carry(lookUp, _deadline));
	const auto answer = proof ? wire::classify(renewal::Operation::lookUp, *proof, meaning.secret.view())
							  : wire::classify(proof.error());
	const auto* const refused = std::get_if<renewal::Trouble>(&answer);
	if (refused != nullptr && refused->kind != renewal::Trouble::Kind::denied) {
		tell(problem, "login", "its token does not work: " + refused->detail, "check token_bound_cidrs of the role");
	}
	else {
		tell(ok, "login", "its token works");
		judgeSecretId(meaning.secret, facts->roleName, secret);
	}
	const auto revocation = wire::revokeSelf(meaning.secret.view(), vaultNamespace);
	auto revoked = transport::blockingly(_exchange.carry(revocation.http, _deadline));
	if (!revoked || revoked->status / 100 != 2) {
		tell(note, "login", "its token could not be revoked: it ends in " + format::lifeInWords(facts->lease));
	}
}

void LoginDiagnosis::tell(Finding::Level level, const char* topic, std::string text, std::string advice)
{
	_find({level, topic, std::move(text), std::move(advice)});
}

} // namespace issuer::vault
