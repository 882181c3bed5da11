#pragma once

#include "listener.h"

#include <issuer/lifecycle.h>
#include <mutex>

namespace issuer::vault::abi {

/// Calls the host for one instance: events go to its recorder, lines to its log. Knows, on each thread, whether the
/// host is inside a callback of this instance at this moment, so that a call back into it can be refused before it
/// waits for itself.
class Voice final : public Listener
{
public:
	/// `host` belongs to the host and must outlive this object.
	explicit Voice(const issuer_host& host) noexcept : _host(host) {}

	void event(const renewal::Event& event) noexcept override;
	void log(renewal::Level level, std::string_view component, std::string_view text) noexcept override;

	/// Replaces the recorder. A barrier: on return the previous recorder is neither running nor ever called again. The
	/// struct is copied.
	void setRecorder(const issuer_recorder* recorder);

	/// Marks, while it lives, that this thread is inside one of the host's callbacks for the instance of `voice`:
	/// record, log, a visit or a finding. A chain, because a host may, inside a callback for one instance, call another
	/// one that calls back in its turn.
	class Callback
	{
	public:
		explicit Callback(const Voice& voice) noexcept : _voice(&voice), _outer(innermost) { innermost = this; }
		~Callback() { innermost = _outer; }
		Callback(const Callback&) = delete;
		Callback& operator=(const Callback&) = delete;

	private:
		friend class Voice;
		const Voice* _voice;
		const Callback* _outer;
		/// A plain pointer: one with a destructor would keep the library mapped for as long as a host's thread lives.
		static constinit thread_local const Callback* innermost;
	};

	/// Returns whether this thread is inside one of the host's callbacks for this instance.
	[[nodiscard]] bool isInCallback() const noexcept;

private:
	const issuer_host& _host;
	std::mutex _mutex; ///< held while the recorder runs
	issuer_recorder _recorder{};
};

} // namespace issuer::vault::abi
