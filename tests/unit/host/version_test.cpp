#include "loader/version.h"

#include "loader/installed.h"
#include "temp_dir.h"

#include <gmock/gmock.h>

namespace issuer::loader {
namespace {

using testing::HasSubstr;

TEST(Versions, FollowThePrecedenceOfSemVer)
{
	const char* const ascending[] = {"0.1.0", "0.2.0", "0.10.0", "1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta",
		"1.0.0-beta", "1.0.0-beta.2", "1.0.0-beta.11", "1.0.0-rc.1", "1.0.0", "1.0.1", "2", "2.0.1",
		"10.0.0-99999999999999999999999", "10.0.0-100000000000000000000000"};
	for (std::size_t i = 0; i < std::size(ascending); ++i) {
		for (std::size_t j = 0; j < std::size(ascending); ++j) {
			EXPECT_EQ(compareVersions(ascending[i], ascending[j]), i <=> j) << ascending[i] << " and " << ascending[j];
		}
	}
	EXPECT_EQ(compareVersions("1.0.0+build.7", "1.0.0"), std::strong_ordering::equal);
}

TEST(Versions, AreOfAPrefixInWholeNumbers)
{
	EXPECT_TRUE(isVersionOf("0.1.2", ""));
	EXPECT_TRUE(isVersionOf("0.1.2", "0.1"));
	EXPECT_TRUE(isVersionOf("0.1.2", "0.1.2"));
	EXPECT_TRUE(isVersionOf("1.0.0-rc1", "1"));
	EXPECT_FALSE(isVersionOf("0.10.0", "0.1"));
	EXPECT_FALSE(isVersionOf("0.1", "0.1.2"));
}

class APluginsName : public testing::Test
{
protected:
	void install(const std::string& version) const { temp.write("vault/" + version + "/vault_plugin.so", "code"); }

	[[nodiscard]] std::string found(const std::string& name) const
	{
		const auto file = resolved(pluginNamed(name, "/folder"), temp.path());
		return file ? file->path.lexically_relative(temp.path()).parent_path().string() : file.error().text;
	}

	issuer::test::TempDir temp;
};

TEST_F(APluginsName, IsTheNewestInstalledThatBeginsSo)
{
	for (const char* version : {"0.1.0", "0.1.1-0123456789ab", "0.10.0", "1.0.0-rc1", "1.0.0-aaaaaaaaaaaa"}) {
		std::filesystem::create_directories(temp.path() / "vault" / version);
		install(version);
	}
	EXPECT_EQ(found("vault"), "vault/1.0.0-aaaaaaaaaaaa");
	EXPECT_EQ(found("vault@0"), "vault/0.10.0");
	EXPECT_EQ(found("vault@0.1"), "vault/0.1.1-0123456789ab");
	EXPECT_EQ(found("vault@0.1.0"), "vault/0.1.0");
	EXPECT_EQ(found("vault@1.0.0-rc1"), "vault/1.0.0-rc1");
	EXPECT_THAT(found("vault@2"), HasSubstr("plugin vault@2 is not installed under "));
	EXPECT_THAT(found("vault@2"), HasSubstr("; there is 1.0.0, 1.0.0-rc1, 0.10.0, 0.1.1, 0.1.0"));
	EXPECT_THAT(found("..@1"), HasSubstr("is neither a path nor a plugin's name"));
}

TEST_F(APluginsName, IsToldFromAPath)
{
	EXPECT_EQ(pluginNamed("vault_plugin.so", "/folder").path, "/folder/vault_plugin.so");
	EXPECT_EQ(pluginNamed("./vault", "/folder").path, "/folder/vault");
	EXPECT_EQ(pluginNamed("/x/../y.so", "/folder").path, "/y.so");
	EXPECT_EQ(pluginNamed("vault@0.1", "/folder").name, "vault@0.1");
}

} // namespace
} // namespace issuer::loader
