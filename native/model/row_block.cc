#include "model/row_block.h"

#include <cstring>

namespace millrace {

Status HostBlock::read(std::size_t at, std::span<std::byte> to) const {
  if (!to.empty()) std::memcpy(to.data(), memory_.get() + at, to.size());
  return {};
}

std::size_t run_length(std::span<const RowHandle> rows, std::size_t row_bytes) {
  for (std::size_t n = 1; n < rows.size(); ++n) {
    const bool follows = rows[n].block == rows[0].block && rows[n].at == rows[0].at + n * row_bytes;
    if (!follows) return n;
  }
  return rows.size();
}

}  // namespace millrace
