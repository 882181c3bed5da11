#include "credential/secret.h"

#include "credential/secret_pages.h"

#include <gtest/gtest.h>
#include <stdexcept>
#include <string>

namespace issuer::vault::credential {
namespace {

static_assert(!std::is_copy_constructible_v<Secret> && !std::is_copy_assignable_v<Secret>);
static_assert(std::is_nothrow_move_constructible_v<Secret> && std::is_nothrow_move_assignable_v<Secret>);

TEST(Secret, IsEmptyUntilGivenAText)
{
	EXPECT_TRUE(Secret().empty());
	EXPECT_TRUE(Secret("").empty());
	EXPECT_EQ(Secret().view(), "");
	EXPECT_FALSE(Secret("x").empty());
}

TEST(Secret, KeepsACopyOfItsOwn)
{
	std::string text = "s.TOKEN";
	const Secret secret(text);
	text.assign(text.size(), 'x');
	EXPECT_EQ(secret.view(), "s.TOKEN");
}

TEST(Secret, HoldsAnyBytesOfAnySizeUpTo64KiB)
{
	for (const std::size_t size :
		{1U, 2U, 63U, 64U, 65U, 127U, 128U, 129U, 4096U, 32768U, 32769U, 61440U, 65535U, 65536U}) {
		std::string text(size, '\0');
		for (std::size_t i = 0; i < size; ++i) {
			text[i] = static_cast<char>(i * 7 + size);
		}
		const Secret first(text);
		const Secret second(text);
		EXPECT_TRUE(first.view() == text) << size;
		EXPECT_TRUE(second.view() == text) << size;
	}
	EXPECT_THROW(Secret(std::string(longestSecret + 1, 'x')), std::length_error);
}

TEST(Secret, MovesWithoutACopy)
{
	Secret from("s.TOKEN");
	const char* const place = from.view().data();
	Secret to(std::move(from));
	EXPECT_EQ(to.view().data(), place);
	EXPECT_TRUE(from.empty()); // NOLINT(bugprone-use-after-move): the moved-from state is under test
	Secret other("s.OTHER");
	other = std::move(to);
	EXPECT_EQ(other.view().data(), place);
	EXPECT_EQ(other.view(), "s.TOKEN");
	other = Secret();
	EXPECT_TRUE(other.empty());
}

TEST(Secret, IsWipedWithTheLastOneThatSharesIt)
{
	const Secret neighbour("s.NEIGHBOUR"); // keeps the page mapped
	Secret one("s.TOKEN");
	const char* const place = one.view().data();
	Secret other = one.share();
	EXPECT_EQ(other.view().data(), place);
	one = Secret();
	EXPECT_EQ(other.view(), "s.TOKEN");
	EXPECT_EQ(other.share().view(), "s.TOKEN");
	other = Secret();
	EXPECT_EQ(*place, 0);
	EXPECT_TRUE(Secret().share().empty());
}

TEST(Secret, EqualsTheSameBytesOnly)
{
	const Secret secret("s.TOKEN");
	EXPECT_TRUE(secret.equals("s.TOKEN"));
	EXPECT_FALSE(secret.equals("s.TOKEM"));
	EXPECT_FALSE(secret.equals("S.TOKEN"));
	EXPECT_FALSE(secret.equals("s.TOKE"));
	EXPECT_FALSE(secret.equals("s.TOKEN "));
	EXPECT_FALSE(secret.equals(""));
	EXPECT_TRUE(Secret().equals(""));
	EXPECT_FALSE(Secret().equals("x"));
}

} // namespace
} // namespace issuer::vault::credential
