#include "transport/reading.h"

#include <openssl/ssl.h>
#include <unistd.h>

namespace issuer::vault::transport {

std::shared_ptr<OpensslGate> OpensslGate::ofLibrary()
{
	struct Owner
	{
		const std::shared_ptr<OpensslGate> gate = std::make_shared<OpensslGate>();
		~Owner() { gate->close(); }
	};
	// OpenSSL is initialised first, so that its clean-up at exit runs last.
	OPENSSL_init_ssl(0, nullptr);
	static const Owner owner;
	return owner.gate;
}

OpensslGate::Pass::~Pass()
{
	OPENSSL_thread_stop();
}

OpensslGate::Pass OpensslGate::enter() noexcept
{
	std::unique_lock lock(_mutex);
	if (_closed) {
		lock.unlock();
		stayOut();
	}
	return Pass(std::move(lock));
}

void OpensslGate::stayOut() noexcept
{
	for (;;) {
		::pause();
	}
}

void OpensslGate::close() noexcept
{
	const std::lock_guard lock(_mutex);
	_closed = true;
}

} // namespace issuer::vault::transport
