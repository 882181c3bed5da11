#pragma once

#include "diagnosis.h"
#include "login.h"

#include <chrono>

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

	/// Looks at the material and asks for the kind of the mount: changes nothing.
	void look();

	/// Logs in, has the token looked up, and revokes it.
	void logIn(std::string_view vaultNamespace);

private:
	void judgeEnd(const credential::MaterialPart& part, const credential::Secret& text);
	void probe();
	void tell(Finding::Level level, const char* topic, std::string text, std::string advice = {});

	const Login& _login;
	transport::Exchange& _exchange;
	credential::Reader& _reader;
	const runtime::Clock& _clock;
	const Diagnosis::Find _find;
	const std::chrono::steady_clock::time_point _deadline;
};

} // namespace issuer::vault
