// A host that is not whole is refused before it is called.
#include "mock_host.h"

#include <string>
#include <string_view>

namespace issuer::test {
namespace {

using testing::HasSubstr;

void ignoreLine(void*, issuer_log_level, issuer_str, issuer_str) noexcept {}
const void* noExtension(void*, const char*) noexcept
{
	return nullptr;
}

const issuer_host whole{sizeof whole, ISSUER_ABI_MAJOR, ISSUER_ABI_MINOR, nullptr, ignoreLine, noExtension};

class AHost : public testing::Test
{
protected:
	/// The error of create; empty: it succeeds.
	std::string complaintOf(const issuer_host& host)
	{
		constexpr std::string_view config = R"({"address": "https://v:8200", "token": {"value": "s.x"}})";
		issuer_error error{sizeof error, ISSUER_OK, ""};
		issuer_instance* made = nullptr;
		if (plugin->create(&host, {config.data(), config.size()}, &made, &error) == ISSUER_OK) {
			EXPECT_EQ(plugin->destroy(made, nullptr), ISSUER_OK);
			return {};
		}
		EXPECT_EQ(error.code, ISSUER_E_INVALID);
		EXPECT_EQ(made, nullptr);
		return error.message;
	}

	const LoadedPlugin plugin{ISSUER_VAULT_PLUGIN};
};

TEST_F(AHost, WithAllOf10IsTaken)
{
	EXPECT_EQ(complaintOf(whole), "");
}

TEST_F(AHost, WithoutALogIsRefused)
{
	auto mute = whole;
	mute.log = nullptr;
	EXPECT_THAT(complaintOf(mute), HasSubstr("a log"));
}

TEST_F(AHost, OfBefore10IsRefused)
{
	auto small = whole;
	small.struct_size = offsetof(issuer_host, get_extension);
	EXPECT_THAT(complaintOf(small), HasSubstr("all fields of 1.0"));
}

} // namespace
} // namespace issuer::test
