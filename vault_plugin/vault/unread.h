#pragma once

#include "base/wiped.h"

namespace issuer::vault::wire {

/// Takes out of a reply's JSON text what nobody here reads where it stands, before a parser sees it: that would keep
/// copies, secrets among them, and take its time over each character. Members go as a whole, unchecked, the outermost
/// ones also when they are null; of what is in no member, the strings.
/// Half a text stays half a text; of one that is no JSON, what looks like that goes.
void takeOutUnread(WipedString& text);

} // namespace issuer::vault::wire
