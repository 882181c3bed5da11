#pragma once

#include "base/wiped.h"

namespace issuer::vault::wire {

/// Takes out of a JSON text what nobody here reads, before a parser sees it: that would keep copies, secrets among
/// them, and take its time over each character. Members of a string, a number or a word go as a whole; of those of
/// lists and objects the key, and in them all strings. No bracket goes: half a text stays one. Of a text that is no
/// JSON, what looks like that.
void takeOutUnread(WipedString& text);

} // namespace issuer::vault::wire
