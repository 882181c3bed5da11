#pragma once

#include "listener.h"

#include <issuer/lifecycle.h>
#include <mutex>

namespace issuer::vault::abi {

/// Speaks to the host for one instance: events to its recorder, lines to its log. Knows, on each thread, whether the
/// host is being spoken to at this moment, so that a call back into the instance can be refused before it deadlocks.
class Voice final : public Listener
{
public:
	/// `host` is the host's and outlives the voice.
	explicit Voice(const issuer_host& host) noexcept : _host(host) {}

	void event(const renewal::Event& event) noexcept override;
	void log(renewal::Level level, std::string_view component, std::string_view text) noexcept override;

	/// A barrier: on return the recorder before is neither running nor ever called again. The struct is copied.
	void setRecorder(const issuer_recorder* recorder);

	/// Whether this thread is inside one of the host's callbacks for this instance.
	[[nodiscard]] bool isSpeakingHere() const noexcept;

private:
	const issuer_host& _host;
	std::mutex _mutex; ///< held while the recorder runs
	issuer_recorder _recorder{};
};

} // namespace issuer::vault::abi
