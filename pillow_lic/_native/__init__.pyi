"""What is in C++: entropy coders, the trellis search, the layers of networks, and the filter of pixels; files are specified in FORMAT.md.

Arrays are contiguous and of exactly the dtype and dimensions named, one where none are; anything else is a TypeError. Every call
releases the GIL while it works. No input makes it read or write out of bounds.

When it runs, all of it is one module; the files beside this one divide what it has by topic.
"""

from ._coding import HALF_STEP as HALF_STEP
from ._coding import LARGEST_RESIDUAL as LARGEST_RESIDUAL
from ._coding import STEP as STEP
from ._coding import BitDecoder as BitDecoder
from ._coding import BitEncoder as BitEncoder
from ._coding import Decoder as Decoder
from ._coding import SignPredictor as SignPredictor
from ._coding import StreamError as StreamError
from ._coding import Tables as Tables
from ._coding import Way as Way
from ._coding import encode as encode
from ._coding import scatter_magnitudes as scatter_magnitudes
from ._coding import scatter_sums as scatter_sums
from ._coding import symbol_bits as symbol_bits
from ._layers import Analysis as Analysis
from ._layers import Detail as Detail
from ._layers import Draft as Draft
from ._layers import ErrorGradient as ErrorGradient
from ._layers import HyperAnalysis as HyperAnalysis
from ._layers import Latents as Latents
from ._layers import Means as Means
from ._layers import Scales as Scales
from ._layers import Synthesis as Synthesis
from ._layers import filter_sums as filter_sums
from ._layers import filter_sweep as filter_sweep
from ._layers import filtered as filtered
from ._layers import kernels as kernels
from ._layers import spread as spread
from ._layers import use_kernels as use_kernels
from ._pixels import beside_kinds as beside_kinds
from ._pixels import blended_inks as blended_inks
from ._pixels import chosen as chosen
from ._pixels import continued as continued
from ._pixels import contrast as contrast
from ._pixels import distinct as distinct
from ._pixels import errors_of_marked as errors_of_marked
from ._pixels import fit_planes as fit_planes
from ._pixels import flat as flat
from ._pixels import leaders as leaders
from ._pixels import marked as marked
from ._pixels import near_planes as near_planes
from ._pixels import nearest as nearest
from ._pixels import packed as packed
from ._pixels import snap as snap
from ._pixels import squared_errors as squared_errors
from ._pixels import squared_shifts as squared_shifts
from ._pixels import strokes as strokes
from ._pixels import sums_of_others as sums_of_others
from ._pixels import varying as varying
