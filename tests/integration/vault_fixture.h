#pragma once

#include "fake_vault/fake_vault.h"
#include "mock_host.h"
#include "temp_dir.h"
#include "test_pki.h"

#include <gtest/gtest.h>
#include <issuer/control.h>
#include <issuer/health.h>
#include <memory>
#include <string>
#include <vector>

namespace issuer::test {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::NiceMock;
using testing::Not;

/// The built plugin, a mocked host, and a fake Vault: over plain TCP, and over TLS with client certificates.
class VaultTest : public testing::Test
{
protected:
	std::string tokenFor(const TokenWish& wish) { return vault->api().createToken(wish); }

	[[nodiscard]] virtual std::string transport() const { return ""; }

	/// A configuration for `token`; `more` begins with a comma.
	[[nodiscard]] std::string config(const std::string& token, const std::string& more = "") const
	{
		return R"({"address":")" + vault->address() + R"(","token":{"value":")" + token + R"("})" + transport() + more +
			   "}";
	}

	[[nodiscard]] issuer_health health(const TestIssuer& issuer) const
	{
		issuer_health health{};
		health.struct_size = sizeof health;
		const auto* table = plugin.extension<issuer_health_ext>(ISSUER_EXT_HEALTH);
		EXPECT_EQ(table->snapshot(issuer.get(), &health, nullptr), ISSUER_OK);
		return health;
	}

	void renewNow(const TestIssuer& issuer) const
	{
		const auto* table = plugin.extension<issuer_control_ext>(ISSUER_EXT_CONTROL);
		EXPECT_EQ(table->renew_now(issuer.get(), nullptr), ISSUER_OK);
	}

	static std::ptrdiff_t count(const std::vector<Heard>& events, issuer_result result)
	{
		return std::ranges::count_if(events, [=](const Heard& heard) { return heard.event.result == result; });
	}

	LoadedPlugin plugin{ISSUER_VAULT_PLUGIN};
	NiceMock<MockHost> host;
	std::unique_ptr<FakeVault> vault = std::make_unique<FakeVault>();
};

/// Certificates made once for all tests of a program.
struct SharedPki
{
	TempDir folder;
	TestPki authority{folder.path()};
	Identity server = authority.server();
	Identity client = authority.client();

	static SharedPki& get()
	{
		static SharedPki pki;
		return pki;
	}
};

enum class Over
{
	tcp,
	tls,
};

/// The same test over both.
class OverEither : public VaultTest, public testing::WithParamInterface<Over>
{
protected:
	OverEither()
	{
		if (GetParam() == Over::tls) {
			FakeVault::Options options;
			options.listening.tls = SharedPki::get().server;
			options.listening.clientCa = SharedPki::get().authority.caFile();
			options.listening.clientCertificateRequired = true;
			vault = std::make_unique<FakeVault>(options);
		}
	}

	[[nodiscard]] std::string transport() const override
	{
		if (GetParam() == Over::tcp) {
			return "";
		}
		const auto& pki = SharedPki::get();
		return R"(,"tls":{"ca_file":")" + pki.authority.caFile().string() + R"(","client_cert":")" +
			   pki.client.certificate.string() + R"(","client_key":")" + pki.client.key.string() + R"("})";
	}
};

} // namespace issuer::test
