#include "base/shared_values.h"

#include <gtest/gtest.h>
#include <string>

namespace issuer::vault {
namespace {

TEST(SharedValues, EqualValuesAreOneObject)
{
	SharedValues<std::string> values;
	const auto one = values.share("team-a");
	EXPECT_EQ(values.share("team-a"), one);
	EXPECT_NE(values.share("team-b"), one);
	EXPECT_EQ(*one, "team-a");
}

TEST(SharedValues, AValueOutlivesItsOrigin)
{
	const auto value = SharedValues<std::string>().share("team-a");
	EXPECT_EQ(*value, "team-a");
}

TEST(SharedValues, UnheldValuesGoAsOthersCome)
{
	SharedValues<std::string> values;
	const std::weak_ptr<const std::string> forgotten = values.share("forgotten");
	const auto held = values.share("held");
	for (int i = 0; i < 100; ++i) {
		static_cast<void>(values.share(std::to_string(i)));
	}
	EXPECT_TRUE(forgotten.expired());
	EXPECT_EQ(values.share("held"), held);
}

} // namespace
} // namespace issuer::vault
