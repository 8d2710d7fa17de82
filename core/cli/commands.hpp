// The commands of `residue`, one file each. Each takes its arguments without the program's and its own name, prints,
// and returns the exit code: 0 fine, 1 what was checked does not hold, 2 bad usage or input, 130 interrupted.
#pragma once

#include <string>
#include <vector>

namespace residue::cli {

using Arguments = std::vector<std::string>;

int ReportCommand(const Arguments& arguments);
int PictureCommand(const Arguments& arguments);
int ConvertCommand(const Arguments& arguments);
int RunCommand(const Arguments& arguments);
int CheckCommand(const Arguments& arguments);
int DiffCommand(const Arguments& arguments);
int RecordCommand(const Arguments& arguments);
int LabCommand(const Arguments& arguments);
int RaceCommand(const Arguments& arguments);
int OpenCommand(const Arguments& arguments);

}  // namespace residue::cli
