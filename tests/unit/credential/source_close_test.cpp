#include "credential/source.h"

#include "reader_fixture.h"
#include "temp_dir.h"

namespace issuer::vault::credential {
namespace {

using namespace std::chrono_literals;

TEST(ASourceThatIsClosed, LooksAtItsFileNoMoreAndIsToldNothing)
{
	const issuer::test::TempDir dir;
	test::Time time;
	test::Hands hands;
	test::Hears listener;
	Reader reader{hands.helper(), time, time, test::withoutHints()};
	Source source({Origin::Kind::file, dir.write("token", "s.ONE").string(), {}});
	source.open(reader, listener);
	EXPECT_EQ(source.update().kind, Source::Update::Kind::first);
	source.close();
	const int told = listener.told;
	const int looks = hands.taken;
	dir.write("token", "s.TWO");
	time.pass(2min);
	EXPECT_EQ(listener.told, told);
	EXPECT_EQ(hands.taken, looks);
	EXPECT_EQ(source.update().kind, Source::Update::Kind::none);
}

TEST(AReader, AsksNeitherClockNorSchedulerOnceItIsGone)
{
	const issuer::test::TempDir dir;
	test::Time time;
	test::Hands hands;
	test::Hears listener;
	Source source({Origin::Kind::file, dir.write("token", "s.ONE").string(), {}});
	{
		Reader reader{hands.helper(), time, time, test::withoutHints()};
		hands.hang = true;
		source.open(reader, listener);
		time.pass(1s);
		ASSERT_EQ(hands.taken, 1);
		source.close();
	}
	const int asked = time.asked();
	hands.letGo(); // its thread comes late
	EXPECT_EQ(time.asked(), asked) << "the clock ends with the reader";
}

} // namespace
} // namespace issuer::vault::credential
