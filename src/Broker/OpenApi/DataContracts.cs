using Broker.Operators;
using Swashbuckle.AspNetCore.SwaggerGen;

namespace Broker.OpenApi;

/// <summary>Members of described types by the serialiser that writes them: records of the API for operators have no attributes with names.</summary>
internal sealed class DataContracts(ISerializerDataContractResolver usual, SchemaGeneratorOptions options) : ISerializerDataContractResolver
{
    private readonly JsonSerializerDataContractResolver operators = new(OperatorJson.Default.Options, options);

    public DataContract GetDataContractForType(Type type) =>
        (type.Assembly == typeof(OperatorJson).Assembly ? operators : usual).GetDataContractForType(type);

    /// <summary>Stands before the resolver that is registered.</summary>
    public static void Wrap(IServiceCollection services)
    {
        var usual = services.Last(service => service.ServiceType == typeof(ISerializerDataContractResolver));
        services.Remove(usual);
        services.AddTransient<ISerializerDataContractResolver>(provider => new DataContracts(
            (ISerializerDataContractResolver)usual.ImplementationFactory!(provider), provider.GetRequiredService<SchemaGeneratorOptions>()));
    }
}
