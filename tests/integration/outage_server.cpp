#include "outage_server.h"

#include "fake_vault/fake_vault.h"
#include "real_vault.h"

#include <algorithm>
#include <poll.h>

namespace issuer::test {
namespace {

using namespace std::chrono_literals;

class Fake final : public OutageServer
{
public:
	std::string address() const override { return _vault.address(); }
	const VaultAdmin& admin() const override { return _admin; }

	void leave(Mode mode) override
	{
		switch (mode) {
		case Mode::refused:
			return _vault.stop();
		case Mode::hanging:
			return _vault.faults().add(faults::hang());
		case Mode::sealed:
			return _vault.faults().add(faults::error(503, "Vault is sealed"));
		case Mode::broken:
			return _vault.faults().add(faults::error(500, "internal error"));
		case Mode::throttled:
			return _vault.faults().add(faults::error(429, "rate limit quota exceeded"));
		case Mode::dripping:
			return _vault.faults().add(faults::drip(100ms));
		}
	}

	void comeBack(Mode mode) override { mode == Mode::refused ? _vault.start() : _vault.faults().clear(); }

private:
	FakeVault _vault;
	VaultAdmin _admin{_vault.address(), _vault.rootToken()};
};

class Real final : public OutageServer
{
public:
	std::string address() const override { return _vault.address(); }
	const VaultAdmin& admin() const override { return _vault.admin(); }

	void leave(Mode mode) override
	{
		switch (mode) {
		case Mode::refused:
			return _vault.kill();
		case Mode::hanging:
			return _vault.freeze();
		case Mode::sealed:
			return _vault.seal();
		case Mode::broken:
		case Mode::throttled:
		case Mode::dripping:
			return; // not in modesOf
		}
	}

	void comeBack(Mode mode) override
	{
		switch (mode) {
		case Mode::refused:
			return _vault.start();
		case Mode::hanging:
			return _vault.thaw();
		case Mode::sealed:
			return _vault.unseal();
		case Mode::broken:
		case Mode::throttled:
		case Mode::dripping:
			return;
		}
	}

private:
	RealVault _vault;
};

} // namespace

const char* nameOf(Mode mode)
{
	switch (mode) {
	case Mode::refused:
		return "refused";
	case Mode::hanging:
		return "hanging";
	case Mode::sealed:
		return "503";
	case Mode::broken:
		return "500";
	case Mode::throttled:
		return "429";
	case Mode::dripping:
		return "dripping";
	}
	return "";
}

const char* nameOf(ServerKind kind)
{
	return kind == ServerKind::fake ? "fake" : "real";
}

std::unique_ptr<OutageServer> startServer(ServerKind kind)
{
	if (kind == ServerKind::fake) {
		return std::make_unique<Fake>();
	}
	return RealVault::isInstalled() ? std::make_unique<Real>() : nullptr;
}

std::vector<Mode> modesOf(ServerKind kind)
{
	if (kind == ServerKind::real) {
		return {Mode::refused, Mode::hanging, Mode::sealed};
	}
	return {Mode::refused, Mode::hanging, Mode::sealed, Mode::broken, Mode::throttled, Mode::dripping};
}

void passUntil(std::chrono::steady_clock::time_point then)
{
	using std::chrono::milliseconds;
	const auto left = std::chrono::ceil<milliseconds>(then - std::chrono::steady_clock::now());
	::poll(nullptr, 0, static_cast<int>(std::max(left, milliseconds(0)).count()));
}

} // namespace issuer::test
