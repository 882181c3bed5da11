#include "conformance/calls_from_inside.h"
#include "conformance/checks.h"

#include <algorithm>

namespace issuer::conformance {

namespace {

void keepsItsSecret(const Subject& subject)
{
	Trial trial(subject);
	const auto& credential = trial.library.extension<issuer_credential_ext>(ISSUER_EXT_CREDENTIAL);
	trial.run();
	std::vector<std::string> secrets;
	expectCode("use", credential.use(trial.instance.get(), keepText, &secrets, nullptr), ISSUER_OK);
	if (secrets.empty() || secrets.front().empty()) {
		skip("it lends no credential to look for");
	}
	trial.instance.stop();
	std::vector<std::string> texts = trial.recorder.texts();
	for (std::string& text : trial.host.texts()) {
		texts.push_back(std::move(text));
	}
	const void* handover = trial.library.table().get_extension(ISSUER_EXT_HANDOVER);
	if (handover != nullptr) {
		static_cast<void>(static_cast<const issuer_handover_ext*>(handover)->export_state(
			trial.instance.get(), keepText, &texts, nullptr));
	}
	if (const void* lends = trial.library.table().get_extension(ISSUER_EXT_SECRETS)) {
		static_cast<void>(
			static_cast<const issuer_secrets_ext*>(lends)->lend(trial.instance.get(), keepText, &secrets, nullptr));
	}
	for (const std::string& text : texts) {
		for (const std::string& secret : secrets) {
			expect(secret.empty() || text.find(secret) == std::string::npos,
				"the credential, or what it lends, appears in an event, a log line or the state it hands over");
		}
	}
}

/// An instance that has run and stopped, with what it lends then.
struct Lender
{
	explicit Lender(const Subject& subject)
		: trial(subject), secrets(trial.library.extension<issuer_secrets_ext>(ISSUER_EXT_SECRETS))
	{
		trial.run();
	}

	/// Stops it and returns what it lends; skips the check unless it lends, once.
	std::string stopAndLend()
	{
		trial.instance.stop();
		std::vector<std::string> lent;
		const issuer_rc code = lend(lent);
		if (code == ISSUER_E_UNAVAILABLE && lent.empty()) {
			skip("with this configuration it has nothing to lend");
		}
		if (code != ISSUER_OK || lent.size() != 1) {
			skip("see lends-its-secrets-once");
		}
		return lent.front();
	}

	issuer_rc lend(std::vector<std::string>& lent) const
	{
		return secrets.lend(trial.instance.get(), keepText, &lent, nullptr);
	}

	Trial trial;
	const issuer_secrets_ext& secrets;
};

void lendsItsSecretsOnce(const Subject& subject)
{
	Lender old(subject);
	std::vector<std::string> lent;
	expectCode("lend of a running instance", old.lend(lent), ISSUER_E_STATE);
	expect(lent.empty(), "lend calls visit although it fails");
	old.trial.instance.stop();
	const issuer_rc code = old.lend(lent);
	expect((code == ISSUER_OK) == (lent.size() == 1),
		"lend calls visit " + std::to_string(lent.size()) + " times and answers " + codeName(code));
	if (code == ISSUER_E_UNAVAILABLE) {
		skip("with this configuration it has nothing to lend");
	}
	expectCode("lend of a stopped instance", code, ISSUER_OK);
	expect(!lent.front().empty(), "lend shows nothing and answers ISSUER_OK");
	expectCode("lend of one that has lent", old.lend(lent), ISSUER_OK);
	expectCode("start of one that has lent", old.trial.instance.tryStart(), ISSUER_OK);
}

void takesWhatWasLent(const Subject& subject)
{
	Lender old(subject);
	std::string secrets = old.stopAndLend();
	CheckedInstance next(old.trial.library, subject, old.trial.host);
	const auto take = [&](const CheckedInstance& by, const std::string& bytes) {
		return old.secrets.take(by.get(), borrow(bytes), nullptr);
	};
	expectCode("take of what the same version lent", take(next, secrets), ISSUER_OK);
	std::ranges::fill(secrets, '!'); // as the lender does, after the visit
	std::vector<std::string> again;
	expectCode("lend of one that has taken and was not started",
		old.secrets.lend(next.get(), keepText, &again, nullptr), ISSUER_OK);
	CheckedInstance third(old.trial.library, subject, old.trial.host);
	expect(!again.empty() && take(third, again.front()) == ISSUER_OK,
		"what an instance took cannot be taken from it again; did it keep a pointer instead of a copy?");
	next.start();
	expectCode("take of a running instance", take(next, again.front()), ISSUER_E_STATE);
	expectCode("stop", next.tryStop(), ISSUER_OK);
}

void refusesDamagedSecrets(const Subject& subject)
{
	Trial trial(subject);
	const auto& secrets = trial.library.extension<issuer_secrets_ext>(ISSUER_EXT_SECRETS);
	for (const char* bytes : {"", "nonsense", "{}", "\xff"}) {
		ErrorBuffer error;
		const std::string call = std::string("take of «") + bytes + "»";
		expectCode(call, secrets.take(trial.instance.get(), borrow(bytes), error.get()), ISSUER_E_INVALID);
		static_cast<void>(error.message());
	}
	expectCode("start after refused secrets", trial.instance.tryStart(), ISSUER_OK);
}

void refusesCallsFromALend(const Subject& subject)
{
	Lender old(subject);
	static_cast<void>(old.stopAndLend());
	CallsFromInside calls(old.trial);
	const auto visit = [](void* ctx, issuer_str) noexcept { static_cast<CallsFromInside*>(ctx)->make(); };
	static_cast<void>(old.secrets.lend(old.trial.instance.get(), visit, &calls, nullptr));
	calls.judge("visit of lend");
}

constexpr Check checks[] = {
	{"keeps-its-secret", "The credential stands in no event, no log line and no handed-over state.", Needs::stopping,
		false, keepsItsSecret},
	{"lends-its-secrets-once", "issuer.secrets/1 shows a stopped one's secrets once a call, and keeps them.",
		Needs::stopping, false, lendsItsSecretsOnce},
	{"takes-what-was-lent", "issuer.secrets/1 copies what the same version lends, and can lend it again.",
		Needs::stopping, false, takesWhatWasLent},
	{"refuses-damaged-secrets", "issuer.secrets/1 refuses bytes that it cannot read, and starts all the same.",
		Needs::stopping, false, refusesDamagedSecrets},
	{"refuses-calls-from-a-lend", "Nothing may be called from inside a visit of issuer.secrets/1.", Needs::stopping,
		false, refusesCallsFromALend},
};

} // namespace

std::span<const Check> secretChecks()
{
	return checks;
}

} // namespace issuer::conformance
