#pragma once

#include "renewal/report.h"

#include <string_view>

namespace issuer::vault {

/// Is told what happens to an instance.
class Listener
{
public:
	/// [worker-thread] Called one at a time, in the order of the events.
	virtual void event(const renewal::Event& event) noexcept = 0;

	/// [any thread] `component` is one of the contract's words: "events", "credential", "tls", ….
	virtual void log(renewal::Level level, std::string_view component, std::string_view text) noexcept = 0;

protected:
	~Listener() = default;
};

} // namespace issuer::vault
