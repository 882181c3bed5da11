#pragma once

#include <functional>
#include <string>

namespace issuer::vault::runtime {

/// Calls `visit(directory, name)` for each directory entry that decides what `path` leads to: the file's own, and each
/// symbolic link on the way (Kubernetes swaps a `..data` in the middle). Where the way breaks off, the last one is the
/// entry that is missing. Looks at an entry after visit() has been called for it, so that with a watch set in visit()
/// no change slips through between the look and the watch.
void walkPath(const std::string& path, const std::function<void(const std::string&, const std::string&)>& visit);

} // namespace issuer::vault::runtime
