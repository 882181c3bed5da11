#pragma once

#include "instance.h"
#include "listener.h"

#include <chrono>
#include <issuer/kit/extension_slots.h>
#include <string>
#include <string_view>

namespace issuer::vault::abi {

/// An Instance in the words of the contract. The kit guards every call: see issuer/kit/plugin.h.
class Issuer : private Listener
{
public:
	/// Opens nothing. `host` outlives it.
	Issuer(kit::HostCallbacks& host, Config config);

	kit::Answer start();
	kit::Answer stop(std::chrono::milliseconds timeout);
	[[nodiscard]] bool isRunning() const { return _instance.running(); }

	[[nodiscard]] kit::Health health() const;
	kit::Answer renewNow();
	kit::Answer credentialChanged();
	kit::Result<std::string> exportState();
	[[nodiscard]] kit::Result<std::string> snapshotState() const;
	kit::Answer importState(std::string_view text);
	kit::Answer lend(const kit::Lend& show);
	kit::Answer take(std::string_view secrets);
	kit::Answer use(const kit::Visit& visit) const;
	kit::Answer diagnose(std::chrono::milliseconds timeout, const kit::Find& find);
	kit::Answer diagnoseLogin(std::chrono::milliseconds timeout, const kit::Find& find);

protected:
	~Issuer() = default;

private:
	void event(const renewal::Event& event) noexcept override;
	void log(renewal::Level level, std::string_view component, std::string_view text) noexcept override;

	kit::HostCallbacks& _host;
	Instance _instance;
};

} // namespace issuer::vault::abi
