// What report, convert and diff ask of a log's profile (analysis/profile.hpp): the stretch that the flags name, its own
// peak, and call traces as texts.
#pragma once

#include <atomic>
#include <future>
#include <string>
#include <vector>

#include "analysis/profile.hpp"
#include "cli/filter_arguments.hpp"
#include "log/failure.hpp"
#include "session/session.hpp"

namespace residue::cli {

// Of a session that is loaded and settled. Failures: the run is too short for the request; "cancelled", when Ctrl-C
// came.
Outcome<analysis::Profile> ProfileOf(const session::Session& session, const ProfileRequest& request,
                                     std::atomic<double>* progress = nullptr);

// The same on a thread of its own, where there is much to look at: the session may be used meanwhile.
std::future<Outcome<analysis::Profile>> ProfileSoon(const session::Session& session, const ProfileRequest& request);

// "function (file:line)", innermost first.
std::vector<std::string> TraceTexts(const log::LogView& log, TraceId trace);

// What the filter leaves out, for people: "4 KiB and more: hides 12 blocks (1,024 B)"; empty without a filter.
std::string HiddenText(const ProfileRequest& request, const analysis::Profile& profile);

}  // namespace residue::cli
