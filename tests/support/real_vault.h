#pragma once

#include "temp_dir.h"
#include "test_pki.h"
#include "vault_admin.h"

#include <memory>
#include <optional>
#include <string>

namespace issuer::test {

class ChildProcess;

/// `bao` or `vault` from PATH as operators run it: with file storage, so that it can be sealed, killed and started
/// again, and its tokens live on. Listens over plain HTTP, and over HTTPS if given a certificate.
/// The thread that makes it must live as long as the object; the rest belongs to one thread at a time.
class RealVault
{
public:
	static constexpr const char* missing = "neither bao nor vault is on PATH: nothing was asked of a real server";
	[[nodiscard]] static bool isInstalled();

	struct Tls
	{
		Identity server;
		std::filesystem::path clientCa; ///< a client must show a certificate of this authority
	};

	RealVault() : RealVault(std::nullopt) {}
	/// Throws std::runtime_error when it does not start.
	explicit RealVault(const std::optional<Tls>& tls);
	~RealVault();
	RealVault(const RealVault&) = delete;
	RealVault& operator=(const RealVault&) = delete;

	[[nodiscard]] std::string address() const { return "http://127.0.0.1:" + std::to_string(_port); }
	[[nodiscard]] std::string tlsAddress() const { return "https://127.0.0.1:" + std::to_string(_tlsPort); }
	[[nodiscard]] const VaultAdmin& admin() const { return *_admin; }
	[[nodiscard]] const std::string& rootToken() const { return _root; }
	[[nodiscard]] std::string nameAndVersion() const;

	void kill();  ///< connections are refused from now on
	void start(); ///< and unseals it
	void freeze() const;
	void thaw() const;
	void seal() const;
	void unseal() const;

private:
	bool launch();
	[[nodiscard]] std::string log() const;

	TempDir _home;
	std::filesystem::path _program;
	int _port = 0;
	int _tlsPort = 0;
	std::string _key;
	std::string _root;
	std::unique_ptr<VaultAdmin> _admin;
	std::unique_ptr<ChildProcess> _process;
};

} // namespace issuer::test
