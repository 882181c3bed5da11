#include "commands/schema_secrets.h"

#include <gmock/gmock.h>

namespace issuer::commands {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr const char* schema = R"({
	"properties": {
		"name": {"type": "string"},
		"token": {"properties": {"file": {}, "value": {"writeOnly": true}}},
		"auth": {"oneOf": [{"$ref": "#/$defs/login"}, {"$ref": "#/$defs/login"}]},
		"all": {"type": "array", "items": {"properties": {"key": {"writeOnly": true}}}}
	},
	"$defs": {"login": {"allOf": [{"properties": {"password": {"writeOnly": true}}}]}}
})";

TEST(SecretsOfAConfiguration, AreThoseThatTheSchemaCallsSo)
{
	EXPECT_THAT(secretsIn(R"({"name":"a","token":{"value":"s"}})", schema), ElementsAre("token.value"));
	EXPECT_THAT(secretsIn(R"({"name":"a","token":{"file":"/f"}})", schema), IsEmpty());
	EXPECT_THAT(secretsIn(R"({"all":[{},{"key":1}]})", schema), ElementsAre("all[1].key"));
}

TEST(SecretsOfAConfiguration, AreFoundBehindReferencesAndAlternativesOnce)
{
	EXPECT_THAT(secretsIn(R"({"auth":{"password":"s"}})", schema), ElementsAre("auth.password"));
}

TEST(SecretsOfAConfiguration, AreUnknownWhereTheSchemaIsNoneOrHasNoEnd)
{
	EXPECT_THAT(secretsIn(R"({"a":"s"})", ""), IsEmpty());
	EXPECT_THAT(secretsIn(R"({"a":"s"})", "[]"), IsEmpty());
	EXPECT_THAT(secretsIn(R"({"a":"s"})", R"({"properties":{"a":{"$ref":"#/properties/a"}}})"), IsEmpty());
	EXPECT_THAT(secretsIn(R"({"a":"s"})", R"({"$ref":"https://elsewhere.example/schema"})"), IsEmpty());
}

/// Two ways at each of 64 steps: nothing in this world would walk them all.
TEST(SecretsOfAConfiguration, AreFoundInTimeHoweverManyWaysLeadThroughTheSchema)
{
	EXPECT_THAT(secretsIn(R"({"a":"s","b":"t"})",
					R"({"properties":{"a":{"$ref":"#/$defs/c"},"b":{"writeOnly":true}},
						"$defs":{"c":{"allOf":[{"$ref":"#/$defs/c"},{"$ref":"#/$defs/c"}]}}})"),
		ElementsAre("b"));
}

} // namespace
} // namespace issuer::commands
