#pragma once

#include <functional>
#include <string>

namespace issuer::vault::runtime {

/// Calls `visit(directory, name)` for each directory entry that decides which file `path` leads to: the file's own, and
/// each symbolic link on the way (Kubernetes swaps a `..data` in the middle). Where an entry is missing, it is the last
/// one visited. An entry is examined after visit() has been called for it, so that with a watch set in visit() no
/// change slips through between the look and the watch.
void walkPath(const std::string& path, const std::function<void(const std::string&, const std::string&)>& visit);

} // namespace issuer::vault::runtime
