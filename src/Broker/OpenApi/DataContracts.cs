using System.Text.Json;
using Broker.Operators;
using Swashbuckle.AspNetCore.SwaggerGen;

namespace Broker.OpenApi;

/// <summary>Members of described types by the serialiser that writes them: records of the API for operators have no attributes with names.</summary>
internal sealed class DataContracts : ISerializerDataContractResolver
{
    private readonly JsonSerializerDataContractResolver usual = new(JsonSerializerOptions.Web);
    private readonly JsonSerializerDataContractResolver operators = new(OperatorJson.Default.Options);

    public DataContract GetDataContractForType(Type type) =>
        (type.Assembly == typeof(OperatorJson).Assembly ? operators : usual).GetDataContractForType(type);
}
