// The call traces of one thread by frame pointers, with what it remembers of its last walks. Freestanding.
#pragma once

#include "events/detail/trace_capture.hpp"

namespace residue::events {

using TraceCapture = detail::TraceCapture;

}  // namespace residue::events
