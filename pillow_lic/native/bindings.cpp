// The module pillow_lic._native, typed and documented in ../_native.pyi.
#include "bindings.hpp"

NB_MODULE(_native, module) {
  module.doc() = "Interleaved rANS with fixed 16-bit tables, dependent quantisation, adaptive coding of bits, layers of networks, and the filter of pixels.";

  nb::set_leak_warnings(false);  // tables are kept until the process ends, which users need not be told

  bind_symbols(module);
  bind_bits(module);
  bind_pictures(module);
  bind_filters(module);
  bind_encoder(module);
  bind_drafts(module);
  bind_pixelwise(module);
  bind_snapping(module);
  bind_glyphs(module);
  bind_layers(module);
}
