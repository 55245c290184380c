using System.Diagnostics;

namespace Broker.Storage.Diagnostics;

/// <summary>Something that belongs to a caller's trace.</summary>
internal interface ITraced
{
    Activity? Caller { get; }
}
