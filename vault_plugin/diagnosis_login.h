#pragma once

#include "diagnosis.h"
#include "login.h"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace issuer::vault {

/// Finds out whether a login can bring the next token, and what to change if not. Logs in only if asked to.
class LoginDiagnosis
{
public:
	/// Borrows all arguments. Every request ends before `deadline`.
	LoginDiagnosis(const Login& login, transport::Exchange& exchange, credential::Reader& reader,
		const runtime::Clock& clock, Diagnosis::Find find, std::chrono::steady_clock::time_point deadline)
		: _login(login), _exchange(exchange), _reader(reader), _clock(clock), _find(std::move(find)),
		  _deadline(deadline)
	{
	}

	/// Looks at the material and the sink, and asks for the kind of the mount: changes nothing.
	void look(std::string_view vaultNamespace);

	/// Logs in, has the token looked up, and revokes it.
	void logIn(std::string_view vaultNamespace);

private:
	void judgeEnd(const credential::MaterialPart& part, const credential::Secret& text);
	void judgeNextLogin();
	void judgeSink(std::string_view vaultNamespace);
	void judgeSecretId(const credential::Secret& token, const std::string& role, const credential::Secret& secretId);
	void probe();
	void tell(Finding::Level level, const char* topic, std::string text, std::string advice = {});

	const Login& _login;
	transport::Exchange& _exchange;
	credential::Reader& _reader;
	const runtime::Clock& _clock;
	const Diagnosis::Find _find;
	const std::chrono::steady_clock::time_point _deadline;
	std::optional<WallTime> _ends; ///< earliest end of what the login is made of
	bool _unusable = false;        ///< a part of it cannot be read, or has ended
};

} // namespace issuer::vault
