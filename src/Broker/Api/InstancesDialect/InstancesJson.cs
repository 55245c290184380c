using System.Text.Json.Serialization;

namespace Broker.Api.InstancesDialect;

/// <summary>Serialisers of the answers of this dialect. Lists of instances and histories are written row by row.</summary>
[JsonSerializable(typeof(EventStatusDto))]
[JsonSerializable(typeof(InstanceErrorDto))]
[JsonSerializable(typeof(InstanceStatusDto))]
[JsonSerializable(typeof(InstanceStatusesDto))]
[JsonSerializable(typeof(OkDto))]
[JsonSerializable(typeof(TickedDto))]
[JsonSerializable(typeof(int))]
[JsonSerializable(typeof(string))]
internal sealed partial class InstancesJson : JsonSerializerContext;
