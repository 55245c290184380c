using System.Text.Json.Serialization.Metadata;

namespace Broker.Sdk;

/// <summary>Name of a workflow with the types of its inputs and of its result: nothing else of it is needed to start a run.</summary>
/// <typeparam name="TInput">Type of the inputs.</typeparam>
/// <typeparam name="TResult">Type of the final value.</typeparam>
/// <param name="name">Name of the workflow.</param>
/// <param name="input">Serialiser of the inputs, from a <c>JsonSerializerContext</c>. They must be a JSON object.</param>
/// <param name="result">Serialiser of the final value.</param>
public sealed class WorkflowRef<TInput, TResult>(string name, JsonTypeInfo<TInput> input, JsonTypeInfo<TResult> result)
{
    /// <summary>Name of the workflow.</summary>
    public string Name { get; } = name;

    /// <summary>Serialiser of the inputs.</summary>
    public JsonTypeInfo<TInput> Input { get; } = input;

    /// <summary>Serialiser of the final value.</summary>
    public JsonTypeInfo<TResult> Result { get; } = result;
}

/// <summary>Type of an event with the type of its value.</summary>
/// <typeparam name="TValue">Type of the value.</typeparam>
/// <param name="type">Event type, 1 to 128 characters.</param>
/// <param name="value">Serialiser of the value, from a <c>JsonSerializerContext</c>.</param>
public sealed class EventRef<TValue>(string type, JsonTypeInfo<TValue> value)
{
    /// <summary>Event type.</summary>
    public string Type { get; } = type;

    /// <summary>Serialiser of the value.</summary>
    public JsonTypeInfo<TValue> Value { get; } = value;
}
