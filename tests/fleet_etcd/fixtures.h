#pragma once

#include "fleet/etcd/base64.h"
#include "real_etcd.h"
#include "temp_dir.h"
#include "test_pki.h"

#include <gtest/gtest.h>
#include <string>

/// The kinds of etcd that tests begin with.
namespace issuer::test {

class EtcdOutage : public testing::Test
{
protected:
	void SetUp() override
	{
		if (!RealEtcd::isInstalled()) {
			GTEST_SKIP() << RealEtcd::missing;
		}
	}
};

/// etcd with two users: root, and issuer-host, which may read and write below /issuer/.
class EtcdUsers : public EtcdOutage
{
protected:
	void enable(RealEtcd& etcd)
	{
		for (const std::string user : {"root", "issuer-host"}) {
			etcd.ask("auth/user/add", R"({"name":")" + user + R"(","password":"pass-of-)" + user + "\"}");
			etcd.ask("auth/role/add", R"({"name":")" + user + "\"}");
			etcd.ask("auth/user/grant", R"({"user":")" + user + R"(","role":")" + user + "\"}");
		}
		etcd.ask("auth/role/grant", R"({"name":"issuer-host","perm":{"permType":"READWRITE","key":")" +
										fleet::etcd::base64("/issuer/") + R"(","range_end":")" +
										fleet::etcd::base64("/issuer0") + "\"}}");
		etcd.ask("auth/enable", "{}");
		etcd.authenticateAs("root", _files.write("root", "pass-of-root\n"));
	}
	fleet::etcd::Settings withUser(fleet::etcd::Settings settings, const std::string& password = "pass-of-issuer-host")
	{
		settings.user = "issuer-host";
		settings.passwordFile = _files.write("password", password + "\n");
		return settings;
	}

	TempDir _files;
};

/// etcd over TLS that wants client certificates.
class EtcdTls : public EtcdUsers
{
protected:
	EtcdTls() : _authority(_files.path()) {}

	RealEtcd::Options options(const char* usages)
	{
		RealEtcd::Options options;
		options.tls = _authority.issue("server", {.usages = usages});
		options.clientCa = _authority.caFile();
		return options;
	}

	TestPki _authority;
};

} // namespace issuer::test
