#pragma once

#include "fleet/facts.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <variant>
#include <vector>

namespace issuer::fleet::etcd {

/// This host's own record, but for what never changes.
struct Record
{
	ShardSet kept;
	ListDigests lists{};
};

/// Writes that wait for etcd, in the order in which they were asked for. Of several for one name the newest counts: a
/// state that is written again keeps its place, so that a record behind it still comes after it; a deletion, and the
/// record, go to the end.
class Queue
{
public:
	/// One write: a state, the name of a state to delete, or the record.
	using Write = std::variant<State, StateName, Record>;

	/// A plugin's text larger than this is left away: etcd takes 1.5 MiB a transaction, and a successor without the
	/// text asks the server.
	static constexpr std::size_t largestText = 256 * 1024;
	/// Bytes of plugins' texts at which a transaction takes no further write.
	static constexpr std::size_t enoughText = 512 * 1024;

	void put(State state);
	void remove(StateName name);
	void record(Record record);

	/// Returns the first writes, at most `most`, which are on their way from now on, until done() or failed(). Nothing
	/// must be on its way. A record is the last one of those it comes with.
	[[nodiscard]] const std::vector<Write>& take(std::size_t most);
	/// Forgets the writes that were on their way.
	void done() { _taken.clear(); }
	/// Lets the writes that were on their way wait again, but for those with newer ones of their name.
	void failed();

	/// Forgets a record that waits.
	void forgetRecord();

	void clear();

	[[nodiscard]] bool isEmpty() const { return _waiting.empty(); }
	[[nodiscard]] std::size_t size() const { return _waiting.size(); }
	[[nodiscard]] bool hasRecord() const { return _record.has_value(); }

private:
	using Place = std::int64_t;

	std::map<Place, Write> _waiting;
	std::map<StateName, Place> _places;
	std::optional<Place> _record;
	std::vector<Write> _taken;
	Place _next = 0;
	Place _front = 0; ///< place before all others
};

} // namespace issuer::fleet::etcd
