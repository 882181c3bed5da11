#include "diagnosis_login.h"

#include "renewal/format.h"
#include "transport/blocking.h"
#include "wire/logins.h"
#include "wire/wire.h"

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

} // namespace

void LoginDiagnosis::look()
{
	for (const auto* part : {_login.roleId(), _login.secret()}) {
		if (part == nullptr) {
			continue;
		}
		const auto text = part->readNow(_reader, _deadline);
		if (!text) {
			tell(problem, "material", text.error().text, "put what the login needs there");
			continue;
		}
		tell(ok, "material", part->describe() + " holds a " + std::string(credential::nameOf(part->origin().text)));
		judgeEnd(*part, *text);
	}
	const auto method = _login.config().policy.method;
	if (method != LoginMethod::wrappedToken && method != LoginMethod::certificate) {
		probe(); // over a connection with a client certificate an empty login would be one
	}
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
	if (*ends <= now) {
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
	const auto request = wire::emptyLogin({config.policy.method, config.mount, config.vaultNamespace});
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
	const auto request = wire::logIn({config.policy.method, config.mount, config.vaultNamespace},
		{_login.roleId() != nullptr ? identity.view() : std::string_view(config.identity),
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
